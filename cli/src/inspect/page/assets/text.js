// Shows text that a stranger may have written: phone numbers can be masked, and characters that are invisible or turn the
// direction of text are written as escapes.

import { el } from "./dom.js";

// A number of at least seven digits that is no part of a SID, with its plus sign as text or escaped; or one written with
// spaces, dots or hyphens, if it starts with a plus sign or a parenthesis.
const PHONE = /(?<![0-9A-Za-z.])(?:\+|%2B)?\d{7,15}(?![0-9A-Za-z])|[+(]\d[\d ().-]{5,18}\d/gi;

// Controls except tab and line feed, bidirectional marks, and characters without a width. What joins emoji and letters stays.
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

let masks = false;

/** Switches the masking of phone numbers. */
export function setMasking(on) {
  masks = on;
}

/** Returns text with its phone numbers masked, if that is switched on. */
export function masked(text) {
  return masks ? text.replace(PHONE, (number) => maskedNumber(number)) : text;
}

function maskedNumber(number) {
  const digits = number.replaceAll(/%2b|\D/gi, "");
  const sign = /^(\+|%2B)/i.exec(number)?.[0] ?? "";
  return `${sign}${digits[0]}${"\u2022".repeat(digits.length - 3)}${digits.slice(-2)}`;
}

/** Returns nodes that show a text. */
export function shown(text) {
  const nodes = [];
  let start = 0;
  const source = masked(String(text));
  for (const match of source.matchAll(HIDDEN)) {
    if (match.index > start) {
      nodes.push(document.createTextNode(source.slice(start, match.index)));
    }
    const code = match[0].codePointAt(0).toString(16).padStart(4, "0");
    nodes.push(el("span", { class: "escape", title: "an invisible character" }, `\\u{${code}}`));
    start = match.index + match[0].length;
  }
  if (start < source.length) {
    nodes.push(document.createTextNode(source.slice(start)));
  }
  return nodes;
}

/** Returns nodes that show a sentence of the tool's own, with code between backticks. */
export function prose(text) {
  const parts = text.split("`");
  // A backtick without its partner is text.
  return parts.length % 2 === 0 ? shown(text) : parts.flatMap((part, index) => (index % 2 === 0 ? shown(part) : el("code", {}, ...shown(part))));
}

/** Returns a text as one string, for attributes such as labels. */
export function plain(text) {
  return masked(String(text)).replace(HIDDEN, (c) => `\\u{${c.codePointAt(0).toString(16).padStart(4, "0")}}`);
}

/** Returns a time of day with seconds. */
export function clock(at) {
  return new Date(at).toLocaleTimeString("en-GB");
}

/** Returns a duration: `8 ms`, `1.25 s`, `2 min 5 s`. */
export function duration(ms) {
  if (ms < 1000) {
    return `${Math.round(ms)} ms`;
  }
  if (ms < 60_000) {
    return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  }
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Returns a size: `312 bytes`, `64 kB`. */
export function size(bytes) {
  if (bytes < 1000) {
    return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  }
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
