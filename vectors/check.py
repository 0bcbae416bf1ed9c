"""Runs the vectors of v1.json through a validator, and lists those that it judges wrongly.

    python3 vectors/check.py                                   the reference implementation beside this file
    python3 vectors/check.py ruby my_validator.rb              a validator of yours
    python3 vectors/check.py twilio-webhook verify --jsonl -

The command gets a vector a line on its standard input, as JSON. For each it writes a line of JSON with the field "valid".
"""

import json
import pathlib
import subprocess
import sys

folder = pathlib.Path(__file__).resolve().parent
command = sys.argv[1:] or [sys.executable, str(folder / "reference.py")]
vectors = json.loads((folder / "v1.json").read_text("utf-8"))["vectors"]
judged = ("name", "rules", "why", "expected")
requests = [{key: value for key, value in vector.items() if key not in judged} for vector in vectors]
lines = "".join(json.dumps(request) + "\n" for request in requests)
result = subprocess.run(command, input=lines.encode(), stdout=subprocess.PIPE)
verdicts = [json.loads(line)["valid"] for line in result.stdout.splitlines() if line.strip()]
if len(verdicts) != len(vectors):
    sys.exit(f"{len(vectors)} vectors got {len(verdicts)} verdicts: {' '.join(command)}")
wrong = [vector for vector, valid in zip(vectors, verdicts) if valid != (vector["expected"] == "accept")]
for vector in wrong:
    print(f"{vector['name']} ({', '.join(vector['rules'])}): {vector['expected']} it. {vector['why']}")
print(f"{len(vectors) - len(wrong)} passed, {len(wrong)} failed")
sys.exit(bool(wrong))
