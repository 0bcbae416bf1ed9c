"""Signs and validates with the official SDK: a question a line in, an answer a line out, both JSON.

A question is {"token", "settings", "signed", "seen", "signature"}, where "signed" and "seen" are requests:
{"kind", "url", "body"}. The answer {"signature", "valid"} has the SDK's signature of what is signed, and whether the
SDK takes what is seen with the question's signature.
"""

import json
import logging
import sys
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator, get_signature_algorithm


class Form:
    """A form as web frameworks hand it to the SDK: a name may have several values."""

    def __init__(self, body):
        self.pairs = parse_qsl(body, keep_blank_values=True)

    def __iter__(self):
        return (name for name, _ in self.pairs)

    def __len__(self):
        return len(self.pairs)

    def getlist(self, name):
        return [value for other, value in self.pairs if other == name]


def params(request):
    return Form(request["body"]) if request["kind"] == "form" else {}


def answer(token, settings, signed, seen, signature):
    validator = RequestValidator(token)
    algorithm = get_signature_algorithm(settings)
    try:
        computed = validator.compute_signature(signed["url"], params(signed), algorithm)
        given = seen["body"] if seen["kind"] == "json" else params(seen)
        valid = validator.validate(seen["url"], given, signature, algorithm)
    except ValueError:  # an unknown algorithm
        return {"signature": "", "valid": False}
    return {"signature": computed, "valid": valid}


logging.disable()
for line in sys.stdin:
    print(json.dumps(answer(**json.loads(line))), flush=True)
