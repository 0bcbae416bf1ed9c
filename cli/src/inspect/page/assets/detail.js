// One request: its verdict, its parameters with what they mean, the answer, the timeline, and what can be done with it.

import { answerSection, headers, sentence } from "./answer.js";
import { el } from "./dom.js";
import { clock, duration, plain, prose, shown, size } from "./text.js";
import { timelineSection } from "./timeline.js";

/** What can be done with a request: its label, its key, and what it does. */
const ACTIONS = [
  ["Replay", "r", "replay", "Sends it again as it came"],
  ["Edit and sign", "e", "edit", "Changes it, signs it again and sends it"],
  ["Forge", "f", "forge", "Sends it with a wrong signature; the app must answer 403"],
];

const COPIES = [
  ["curl", "curl command, signed"],
  ["capture", "capture for explain"],
  ["test", "Rust test"],
];

/** Draws a request into `pane`. `handlers` has `act(action)`, `copy(form)`, `select(id)` and `back()`. */
export function drawDetail(pane, detail, group, handlers) {
  const { row } = detail;
  pane.dataset.request = row.id;
  pane.setAttribute("aria-label", plain(`Request: ${row.kind}`));
  pane.replaceChildren(
    head(row, handlers),
    verdictCard(detail.verdict, row),
    el("div", { class: "columns" },
      parametersCard(detail.request),
      el("div", {}, answerSection(detail.answer), timelineSection(group, row, handlers.select))),
    ...framesCard(detail.frames),
    requestCard(detail.request),
  );
}

/** Draws what has changed of a request that is being read, and leaves the rest alone: what is open, selected or focused. */
export function refreshDetail(pane, detail, group, handlers) {
  pane.querySelector(".timeline").replaceWith(timelineSection(group, detail.row, handlers.select));
  const frames = pane.querySelector(".frames");
  if (frames) {
    const top = frames.querySelector(".scroll").scrollTop;
    frames.replaceWith(...framesCard(detail.frames));
    pane.querySelector(".frames .scroll").scrollTop = top;
  }
}

function head(row, handlers) {
  const actions = ACTIONS.map(([label, key, action, title]) =>
    el("button", { type: "button", "data-action": action, title: `${title} (${key})`, onclick: () => handlers.act(action) }, label));
  const copies = COPIES.map(([form, label]) =>
    el("button", { type: "button", "data-copy": form, onclick: () => handlers.copy(form) }, label));
  return el("div", { class: "head" },
    el("button", { type: "button", class: "back quiet", onclick: handlers.back }, "\u2039 Requests"),
    el("h2", {}, el("span", { class: "kind" }, ...shown(row.kind)),
      row.origin ? el("span", { class: "origin" }, row.origin) : null),
    el("p", { class: "facts" }, el("span", { class: "method" }, row.method), el("span", { class: "path" }, ...shown(row.path)),
      el("span", { class: "muted" }, clock(row.at), ` \u00b7 ${duration(row.ms)}`)),
    el("div", { class: "actions", role: "group", "aria-label": "Actions" }, ...actions,
      el("details", { class: "menu" }, el("summary", {}, "Copy as"), el("div", { class: "menu-items" }, ...copies))));
}

function verdictCard(verdict, row) {
  const rows = [];
  for (const cause of verdict.causes) {
    rows.push(el("dt", {}, ...shown(cause.name)), el("dd", {}, ...prose(sentence(cause.description))));
  }
  const add = (name, nodes) => nodes.length > 0 && rows.push(el("dt", {}, name), el("dd", {}, ...nodes));
  add("What to do", adviceNodes(verdict.advice));
  add("Signed URL", verdict.signedUrl ? [el("code", {}, ...shown(verdict.signedUrl))] : []);
  add("Checked URL", verdict.checkedUrl ? [el("code", {}, ...shown(verdict.checkedUrl))] : []);
  add("Mind", verdict.warnings.map((warning) => el("span", { class: "warning" }, ...prose(sentence(warning)))));
  return el("section", { class: "card verdict-card", "data-tone": row.tone },
    el("h3", {}, ...shown(verdict.title)),
    rows.length > 0 ? el("dl", {}, ...rows) : null);
}

/** Returns what to do: one sentence, or a list of which one is needed, the likeliest one first. */
function adviceNodes(advice) {
  if (advice.length < 2) {
    return advice.map((one) => el("strong", { class: "advice" }, ...prose(sentence(one))));
  }
  return [el("ol", { class: "advice" }, ...advice.map((one) => el("li", {}, ...prose(sentence(one)))))];
}

function parametersCard(request) {
  const card = el("section", { class: "card parameters" }, el("h3", {}, "Parameters"));
  if (request.parameters.length === 0) {
    card.append(el("p", { class: "hint" }, request.body.bytes > 0 ? "The body is not a form." : "It has none."));
    return card;
  }
  const rows = request.parameters.map((parameter) =>
    el("tr", {},
      el("th", { scope: "row" }, ...shown(parameter.name), parameter.place === "query" ? el("span", { class: "origin" }, "query") : null),
      el("td", {}, el("span", { class: "value" }, ...shown(parameter.value)),
        parameter.meaning ? el("span", { class: "meaning" }, parameter.meaning) : null)));
  card.append(el("table", { class: "pairs" }, el("tbody", {}, ...rows)));
  if (request.more > 0) {
    card.append(el("p", { class: "hint" }, `And ${request.more} more: see the raw text.`));
  }
  return card;
}

function requestCard(request) {
  const { body } = request;
  return el("section", { class: "card" },
    el("h3", {}, "Request"),
    headers("Headers", request.headers),
    el("details", { class: "raw" }, el("summary", {}, `Raw text, body of ${size(body.bytes)}`),
      el("pre", { class: "code", tabindex: "0", "aria-label": "Raw text of the request" },
        ...shown(request.raw), "\n\n", ...shown(body.text)),
      body.cut ? el("p", { class: "hint" }, `Only the first ${size(body.kept)} are kept.`) : null,
      body.isText ? null : el("p", { class: "hint" }, "The body is not UTF-8: \ufffd stands for what is not.")));
}

function framesCard(frames) {
  if (frames === null) {
    return [];
  }
  const rows = frames.list.map((frame) =>
    el("tr", { "data-from": frame.from },
      el("td", { class: "at" }, `+${duration(frame.ms)}`),
      el("td", {}, frame.from === "twilio" ? "Twilio \u2192 app" : "app \u2192 Twilio"),
      el("td", {}, frame.kind),
      el("td", { class: "took" }, size(frame.bytes)),
      el("td", { class: "value" }, ...shown(frame.text))));
  return [el("section", { class: "card frames" },
    el("h3", {}, "WebSocket frames"),
    el("p", { class: "hint" }, `${frames.total} in all${frames.total > rows.length ? `, the last ${rows.length} are kept` : ""}.`),
    el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "WebSocket frames" }, el("table", { class: "pairs" },
      el("thead", {}, el("tr", {}, ...["Time", "Direction", "Frame", "Size", "Text"].map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, ...rows))))];
}
