// The requests that the tool keeps, newest first, and which of them are shown.

export class Store {
  #rows = new Map();
  #listeners = [];
  filter = { text: "", kind: "", refused: false };

  /** Calls a function after each change. */
  onChange(listener) {
    this.#listeners.push(listener);
  }

  changed() {
    for (const listener of this.#listeners) {
      listener();
    }
  }

  /** Replaces all requests. */
  reset(rows) {
    this.#rows = new Map(rows.map((row) => [row.id, row]));
    this.changed();
  }

  /** Adds requests, or replaces those that have got their answer, and forgets those that the tool has forgotten. */
  update({ rows, dropped }) {
    for (const row of rows) {
      this.#rows.set(row.id, row);
    }
    for (const id of dropped) {
      this.#rows.delete(id);
    }
    this.changed();
  }

  get(id) {
    return this.#rows.get(id);
  }

  get size() {
    return this.#rows.size;
  }

  /** Returns all requests, newest first. */
  all() {
    return [...this.#rows.values()].sort((a, b) => b.id - a.id);
  }

  /** Returns the requests that the filter lets through, newest first. */
  visible() {
    const words = this.filter.text.toLowerCase().split(/\s+/).filter(Boolean);
    return this.all().filter(
      (row) =>
        (!this.filter.refused || row.refused) &&
        (!this.filter.kind || family(row) === this.filter.kind) &&
        words.every((word) => row.find.includes(word)),
    );
  }

  /** Returns the kinds that were seen, sorted. */
  kinds() {
    return [...new Set(this.all().map(family))].sort();
  }

  /** Returns the routes that were seen, sorted. Without a slash, what a forger asks for would be a part of the host. */
  routes() {
    return [...new Set(this.all().map((row) => row.path))].filter((path) => path.startsWith("/")).sort();
  }

  /** Returns the requests of the same call or message, oldest first. */
  group(row) {
    const same = (name) => row[name] && ((other) => other[name] === row[name]);
    const belongs = same("call") || same("message") || ((other) => other.id === row.id);
    return this.all().filter(belongs).reverse();
  }
}

/** Returns a kind without its status: `status delivered` is a `status`. */
function family(row) {
  return row.kind.split(" ")[0];
}
