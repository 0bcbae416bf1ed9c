// Measures the official SDK for Node, as peer.rs does it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.PEERS}/`);
const { validateRequest } = require("twilio/lib/webhooks/webhooks");
const { parse } = require("node:querystring");

const BATCH = 50;
const { token, cases } = JSON.parse(readFileSync(process.argv[2], "utf8"));
for (const { name, url, content_type, signature, genuine, body } of cases) {
  if (content_type !== "application/x-www-form-urlencoded") continue;
  const run = () => validateRequest(token, signature, url, parse(body));
  const batches = [];
  for (let batch = 0; batch < 301; batch += 1) {
    const start = process.hrtime.bigint();
    for (let times = 0; times < BATCH; times += 1) run();
    batches.push(Number(process.hrtime.bigint() - start) / BATCH);
  }
  batches.sort((a, b) => a - b);
  const ns = run() === genuine ? Math.round(batches[150]) : null;
  console.log(JSON.stringify({ case: name, judge: "twilio for Node", ns }));
}
