// Builds TwiML with the official builder for Node.
//
// Reads documents from standard input, one a line in JSON, and prints what the builder makes of them: an element is
// [name, {attribute: value}, [text or element, ..]]. With --names, prints what the builder's types know: a line for each
// element in each parent, and for each attribute.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(process.env.PEERS + "/");
const { twiml } = require("twilio");
const folder = require.resolve("twilio/package.json").replace("package.json", "lib/twiml/");

/** Returns what can be inside of each class: { Class: { element: { method, child, attributes } } }. */
function known(root) {
  const code = readFileSync(`${folder}${root}.js`, "utf8");
  const types = readFileSync(`${folder}${root}.d.ts`, "utf8");
  const elements = {};
  for (const [, child, element] of code.matchAll(/new \w+\.(\w+)\(this\.\w+\.ele\("([^"]+)"/g)) {
    elements[child] = element;
  }
  const attributes = {};
  for (const [, name, body] of types.matchAll(/interface (\w+) \{([^}]*)\}/g)) {
    attributes[name] = [...body.matchAll(/^\s+"?([\w:-]+)"?\?: /gm)].map(([, attribute]) => attribute);
  }
  const classes = {};
  for (const [, name, body] of types.matchAll(/class (\w+) extends TwiML \{([^}]*)\}/g)) {
    classes[name] = {};
    for (const [, method, args, child] of body.matchAll(/^\s+(\w+)\((.*)\): \w+\.(\w+);/gm)) {
      const type = /attributes\??: \w+\.(\w+)/.exec(args);
      const before = classes[name][elements[child]]?.attributes ?? [];
      classes[name][elements[child]] = { method, child, attributes: type ? attributes[type[1]] : before };
    }
  }
  return classes;
}

function names() {
  for (const root of ["VoiceResponse", "MessagingResponse"]) {
    const classes = known(root);
    const labels = { [root]: root };
    for (const todo = [root]; todo.length > 0; ) {
      const parent = todo.pop();
      for (const [element, { child, attributes }] of Object.entries(classes[parent])) {
        console.log(`${labels[parent]}/${element}`);
        attributes.forEach((attribute) => console.log(`${labels[parent]}/${element} ${attribute}`));
        if (!(child in labels)) {
          labels[child] = element;
          todo.push(child);
        }
      }
    }
  }
}

/** Adds texts and elements to an element of the builder. */
function build(classes, name, target, inside) {
  for (const part of inside) {
    if (typeof part === "string") {
      target.addText(part);
      continue;
    }
    const [element, attributes, [...parts]] = part;
    const { method, child } = classes[name][element];
    const text = typeof parts[0] === "string" ? parts.shift() : undefined;
    build(classes, child, target[method](attributes, text), parts);
  }
}

if (process.argv[2] === "--names") {
  names();
} else {
  const classes = { VoiceResponse: known("VoiceResponse"), MessagingResponse: known("MessagingResponse") };
  for await (const line of createInterface({ input: process.stdin })) {
    const [, , inside] = JSON.parse(line);
    const root = inside.some(([name]) => name === "Message") ? "MessagingResponse" : "VoiceResponse";
    const response = new twiml[root]();
    build(classes[root], root, response, inside);
    console.log(response.toString());
  }
}
