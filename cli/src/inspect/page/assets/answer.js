// The answer of the app: TwiML in colour, with what Twilio would refuse marked where it is.

import { el } from "./dom.js";
import { shown, size } from "./text.js";

/** Returns the section of an answer. */
export function answerSection(answer) {
  const section = el("section", { class: "card answer" }, el("h3", {}, "Answer"));
  if (answer.error) {
    section.append(el("p", { class: "problem" }, ...shown(answer.error)));
    if (answer.tokens.length > 0) {
      section.append(el("p", { class: "hint" }, "The app sent:"), code(answer.tokens));
    }
    return section;
  }
  section.append(
    el("p", { class: "facts" }, el("strong", {}, `${answer.status}`), ` ${answer.reason} `,
      el("span", { class: "muted" }, ...shown(answer.contentType ?? "no content type"), `, ${size(answer.bytes)}`)),
  );
  if (answer.tokens.length > 0) {
    section.append(code(answer.tokens));
  }
  if (answer.cut) {
    section.append(el("p", { class: "hint" }, "Only the start of the answer is kept."));
  }
  section.append(...findings(answer));
  section.append(headers("Headers of the answer", answer.headers));
  return section;
}

function code(tokens) {
  const parts = tokens.map(([kind, text, finding]) => {
    const attributes = { class: finding ? `t-${kind} found` : `t-${kind}` };
    if (finding) {
      attributes.title = `finding ${finding}`;
    }
    return el("span", attributes, ...shown(text));
  });
  return el("pre", { class: "code", tabindex: "0", "aria-label": "Body of the answer" }, ...parts);
}

function findings(answer) {
  if (answer.findings === null) {
    return [];
  }
  if (answer.findings.length === 0) {
    return [el("p", { class: "fine" }, "\u2713 Twilio takes this TwiML.")];
  }
  const items = answer.findings.map((finding) =>
    el("li", {},
      finding.code
        ? el("a", { class: "code-number", href: `https://www.twilio.com/docs/api/errors/${finding.code}`, rel: "noreferrer",
            target: "_blank" }, `error ${finding.code}`)
        : el("span", { class: "code-number" }, "never reached"),
      el("span", { class: "place" }, `line ${finding.line}, column ${finding.column}`),
      el("p", {}, ...shown(finding.message), "."),
      el("p", { class: "advice" }, ...shown(sentence(finding.advice)))));
  return [el("ol", { class: "findings", "aria-label": "What Twilio would refuse" }, ...items)];
}

/** Returns a clause as a sentence. */
export function sentence(clause) {
  const text = clause.charAt(0).toUpperCase() + clause.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Returns headers that can be opened. */
export function headers(title, pairs) {
  const rows = pairs.map(([name, value]) =>
    el("tr", {}, el("th", { scope: "row" }, ...shown(name)), el("td", {}, ...shown(value))));
  return el("details", {}, el("summary", {}, `${title} (${pairs.length})`), el("table", { class: "pairs" }, el("tbody", {}, ...rows)));
}
