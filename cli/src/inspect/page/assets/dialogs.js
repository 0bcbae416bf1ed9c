// The dialogs that only show something: what was copied, and the keys.

import { el } from "./dom.js";

const KEYS = [
  ["j, \u2193", "next request"],
  ["k, \u2191", "previous request"],
  ["Enter", "read the request"],
  ["Esc", "back to the list"],
  ["/", "search"],
  ["x", "refused only"],
  ["m", "mask phone numbers"],
  ["r", "replay as it came"],
  ["e", "edit and sign"],
  ["f", "forge: the app must answer 403"],
  ["s", "send an event"],
  ["?", "these keys"],
];

/** Shows a text that was copied, and how to copy it by hand if the browser did not allow it. */
export async function showCopy(title, text) {
  let copied = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copied = false;
  }
  show(title, [
    el("p", { class: "hint", role: "status" }, copied ? "It is in the clipboard." : "The browser does not allow copying: select the text and copy it."),
    el("pre", { class: "code copied", tabindex: "0" }, text),
  ]);
}

/** Shows the keys. */
export function showKeys() {
  const rows = KEYS.map(([keys, meaning]) => [el("dt", {}, el("kbd", {}, keys)), el("dd", {}, meaning)]);
  show("Keys", [el("dl", { class: "keys" }, ...rows.flat())]);
}

function show(title, content) {
  const dialog = el("dialog", { "aria-labelledby": "dialog-title" });
  dialog.append(
    el("h2", { id: "dialog-title" }, title),
    ...content,
    el("div", { class: "buttons" }, el("button", { type: "button", class: "primary", onclick: () => dialog.close() }, "Close")));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector(".buttons button").focus();
}
