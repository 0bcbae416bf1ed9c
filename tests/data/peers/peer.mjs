// Signs and validates with the official SDK, as peer.py does. It knows no SharedKeys.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.env.PEERS}/`);
const { getExpectedTwilioSignature, validateRequest, validateRequestWithBody } = require(
  "twilio/lib/webhooks/webhooks",
);

// A form as web frameworks hand it to the SDK: a name may have several values.
function params({ kind, body }) {
  const form = Object.create(null);
  if (kind === "form") {
    for (const [name, value] of new URLSearchParams(body)) {
      form[name] = name in form ? [form[name], value].flat() : value;
    }
  }
  return form;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { token, signed, seen, signature } = JSON.parse(line);
  const valid = seen.kind === "json"
    ? validateRequestWithBody(token, signature, seen.url, seen.body)
    : validateRequest(token, signature, seen.url, params(seen));
  const computed = getExpectedTwilioSignature(token, signed.url, params(signed));
  console.log(JSON.stringify({ signature: computed, valid }));
}
