"""Measures the official SDK for Python, as peer.rs does it."""

import json
import statistics
import sys
import time
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator

BATCH = 20


class Form:
    """A form as web frameworks hand it to the SDK: a name may have several values."""

    def __init__(self, body):
        self.values = {}
        for name, value in parse_qsl(body, keep_blank_values=True):
            self.values.setdefault(name, []).append(value)

    def __iter__(self):
        return iter(self.values)

    def __len__(self):
        return len(self.values)

    def getlist(self, name):
        return self.values[name]


with open(sys.argv[1]) as file:
    cases = json.load(file)
validator = RequestValidator(cases["token"])
for case in cases["cases"]:
    if case["content_type"] != "application/x-www-form-urlencoded":
        continue

    def run():
        return validator.validate(case["url"], Form(case["body"]), case["signature"])

    batches = []
    for _ in range(101):
        start = time.perf_counter_ns()
        for _ in range(BATCH):
            run()
        batches.append((time.perf_counter_ns() - start) / BATCH)
    ns = round(statistics.median(batches)) if run() == case["genuine"] else None
    print(json.dumps({"case": case["name"], "judge": "twilio for Python", "ns": ns}))
