// The list of requests: a list box in which one request is selected.

import { byId, el } from "./dom.js";
import { clock, duration, plain, shown } from "./text.js";

/** What a verdict looks like, for those who do not see colours. */
const SIGNS = { good: "\u2713", refused: "\u2715", danger: "!", failed: "!", other: "\u00b7", waiting: "\u2026" };

export class List {
  #box = byId("list");
  #store;
  #onSelect;
  #rows = new Map();
  selected = null;

  /** `onSelect(id, opens)` is called when another request is selected; `opens` says that the user wants to read it. */
  constructor(store, onSelect) {
    this.#store = store;
    this.#onSelect = onSelect;
  }

  /** Draws what has changed. */
  draw() {
    const rows = this.#store.visible();
    const kept = new Map();
    const options = rows.map((row) => {
      const known = this.#rows.get(row.id);
      const option = known?.row === row ? known : { row, element: this.#option(row) };
      kept.set(row.id, option);
      return option.element;
    });
    this.#rows = kept;
    if (!sameChildren(this.#box, options)) {
      const top = this.#box.scrollTop;
      const height = this.#box.scrollHeight;
      this.#box.replaceChildren(...options);
      // Whoever reads further down stays where they are.
      this.#box.scrollTop = top > 0 ? top + this.#box.scrollHeight - height : 0;
    }
    this.#mark();
  }

  /** Draws everything again, for example with masked numbers. */
  redraw() {
    this.#rows.clear();
    this.draw();
  }

  select(id, opens = false) {
    this.selected = id;
    this.#mark();
    this.#rows.get(id)?.element.scrollIntoView({ block: "nearest" });
    this.#onSelect(id, opens);
  }

  /** Selects the request that is some steps further down. */
  move(steps) {
    const rows = this.#store.visible();
    if (rows.length > 0) {
      const index = rows.findIndex((row) => row.id === this.selected);
      const next = index < 0 ? 0 : Math.min(Math.max(index + steps, 0), rows.length - 1);
      this.select(rows[next].id);
    }
  }

  focus() {
    this.#box.focus();
  }

  #mark() {
    for (const [id, { element }] of this.#rows) {
      element.setAttribute("aria-selected", String(id === this.selected));
    }
    if (this.#rows.has(this.selected)) {
      this.#box.setAttribute("aria-activedescendant", `row-${this.selected}`);
    } else {
      this.#box.removeAttribute("aria-activedescendant");
    }
  }

  #option(row) {
    return el(
      "div",
      {
        class: "row",
        role: "option",
        id: `row-${row.id}`,
        "data-tone": row.tone,
        "aria-label": plain([row.kind, row.origin, `${row.method} ${row.path}`, row.verdict].filter(Boolean).join(", ")),
        onclick: () => this.select(row.id, true),
      },
      el("span", { class: "sign", "aria-hidden": "true" }, SIGNS[row.tone] ?? SIGNS.other),
      el("span", { class: "kind" }, ...shown(row.kind), row.origin ? el("span", { class: "origin" }, row.origin) : null),
      el("span", { class: "status" }, row.status === null ? "\u2013" : String(row.status)),
      el("time", { class: "at" }, clock(row.at)),
      el("span", { class: "route" }, el("span", { class: "method" }, row.method), ...shown(row.path)),
      el("span", { class: "took" }, duration(row.ms)),
      // Of a request that is as it should be, what it says is more interesting.
      el("span", { class: "verdict" }, ...shown((row.tone === "good" && row.summary) || row.verdict)),
    );
  }
}

function sameChildren(box, elements) {
  return box.children.length === elements.length && elements.every((element, index) => box.children[index] === element);
}
