// The dialog in which a request is written: one of the tool's events, or a request that came, changed.

import { el } from "./dom.js";

/** What the dialog needs: `events` and `base` from the tool, and the routes that were seen. */
export class Compose {
  #dialog = el("dialog", { class: "compose", "aria-labelledby": "compose-title" });
  #onSend;

  /** `onSend(request)` sends a request and resolves to nothing; its error is shown in the dialog. */
  constructor(onSend) {
    this.#onSend = onSend;
    document.body.append(this.#dialog);
  }

  /** Opens the dialog with an event. */
  openEvent({ events, base, routes }) {
    const choice = el("select", { name: "event" }, ...events.map(({ name, about }) => el("option", { value: name }, `${name}: ${about}`)));
    const path = routes[0] ?? "/message";
    this.#open("Send an event", { of: null, url: base + path, ...requestOf(events[0]) }, [field("Event", choice)], routes.map((route) => base + route));
    choice.addEventListener("change", () => {
      const event = events.find(({ name }) => name === choice.value);
      this.#fill({ url: this.#value("url"), ...requestOf(event) });
    });
  }

  /** Opens the dialog with a request that came. */
  openRequest(request) {
    this.#open("Edit and sign", request, [], []);
  }

  #open(title, request, more, urls) {
    const options = el("datalist", { id: "urls" }, ...urls.map((url) => el("option", { value: url })));
    const form = el("form", { method: "dialog", novalidate: true },
      el("h2", { id: "compose-title" }, title),
      ...more,
      el("div", { class: "line" },
        field("Method", el("select", { name: "method" }, el("option", {}, "POST"), el("option", {}, "GET"))),
        field("URL to sign", el("input", { name: "url", list: "urls", spellcheck: "false", autocomplete: "off", required: true }))),
      el("div", { class: "content" }),
      el("p", { class: "hint" }, "It is signed with the token of the tool, and sent to the app."),
      el("p", { class: "problem", role: "alert", hidden: true }),
      el("div", { class: "buttons" },
        el("button", { type: "button", class: "quiet", onclick: () => this.#dialog.close() }, "Cancel"),
        el("button", { type: "submit", class: "primary" }, "Sign and send")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(request.of);
    });
    this.#dialog.replaceChildren(form, options);
    this.#fill(request);
    this.#dialog.showModal();
    (form.querySelector("[name=event]") ?? form.querySelector("[name=value]") ?? form.querySelector("[name=url]")).focus();
  }

  /** Fills in the request: its parameters as a table, or its body as text. */
  #fill({ method, url, parameters, contentType, body }) {
    this.#input("method").value = method;
    this.#input("url").value = url;
    const content = this.#dialog.querySelector(".content");
    if (parameters) {
      const rows = el("div", { class: "rows" }, ...parameters.map(([name, value]) => parameterRow(name, value)));
      const add = el("button", { type: "button", class: "quiet", onclick: () => {
        rows.append(parameterRow("", ""));
        rows.lastChild.querySelector("input").focus();
      } }, "Add a parameter");
      content.replaceChildren(el("h3", {}, "Parameters"), rows, add);
    } else {
      content.replaceChildren(
        field("Content type", el("input", { name: "content-type", value: contentType, spellcheck: "false" })),
        field("Body", el("textarea", { name: "body", rows: "10", spellcheck: "false" }, body)));
    }
  }

  async #send(of) {
    const problem = this.#dialog.querySelector(".problem");
    problem.hidden = true;
    try {
      await this.#onSend(this.#request(of));
      this.#dialog.close();
    } catch (err) {
      problem.textContent = err.message;
      problem.hidden = false;
    }
  }

  #request(of) {
    const request = { of, method: this.#value("method"), url: this.#value("url") };
    if (this.#dialog.querySelector(".rows")) {
      const rows = [...this.#dialog.querySelectorAll(".rows > *")];
      const pairs = rows.map((row) => ["name", "value"].map((name) => row.querySelector(`[name=${name}]`).value));
      request.parameters = pairs.filter(([name]) => name !== "");
    } else {
      request.contentType = this.#value("content-type");
      request.body = this.#value("body");
    }
    return request;
  }

  #input(name) {
    return this.#dialog.querySelector(`[name=${name}]`);
  }

  #value(name) {
    return this.#input(name).value;
  }
}

function requestOf({ method, parameters, contentType, body }) {
  return { method, parameters, contentType, body };
}

function field(label, input) {
  return el("label", { class: "field" }, el("span", {}, label), input);
}

/** A multi-line value keeps its lines only in a text area. */
function parameterRow(name, value) {
  const row = el("div", { class: "row-edit" });
  const attributes = { name: "value", "aria-label": "Value", spellcheck: "false" };
  row.append(
    el("input", { name: "name", value: name, "aria-label": "Name", spellcheck: "false" }),
    /[\r\n]/.test(value) ? el("textarea", { ...attributes, rows: "3" }, value) : el("input", { ...attributes, value }),
    el("button", { type: "button", class: "quiet", "aria-label": "Remove this parameter", onclick: () => row.remove() }, "\u00d7"));
  return row;
}
