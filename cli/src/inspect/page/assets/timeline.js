// The timeline of a call or a message: when its webhooks came, how long the app took, and what was left of the 15 seconds that
// Twilio waits. Everything is drawn to one scale.

import { el, svg } from "./dom.js";
import { clock, duration, plain, shown } from "./text.js";

/** How long Twilio waits for an answer, in milliseconds. */
const LIMIT = 15_000;

const HEIGHT = 22;

/** The steps of the scale, in milliseconds. */
const STEPS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 36_000].map((seconds) => seconds * 1000);

const MOST_TICKS = 8;

/** Returns the section for these requests, oldest first; `current` is the one that is being read. */
export function timelineSection(rows, current, onSelect) {
  const lanes = joined(rows);
  const start = rows[0].at;
  const end = Math.max(...rows.map((row) => row.at + Math.max(row.ms, LIMIT)));
  const step = STEPS.find((ms) => (end - start) / ms <= MOST_TICKS) ?? STEPS.at(-1);
  const scale = { start, step, length: end - start, percent: (ms) => `${(100 * ms) / (end - start)}%` };
  const subject = current.call ? `call ${current.call}` : current.message ? `message ${current.message}` : "this request";
  const body = lanes.map((lane, index) => laneRow(lane, lanes[index - 1], scale, current, onSelect));
  return el("section", { class: "card timeline" },
    el("h3", {}, "Timeline"),
    el("p", { class: "hint" }, `${rows.length === 1 ? "1 webhook" : `${rows.length} webhooks`} of `, ...shown(subject),
      ". Each outline is the 15 s that Twilio waits for an answer."),
    el("ol", { class: "lanes" }, ...body, axis(scale)));
}

/** Returns the times of the scale. */
function axis(scale) {
  const times = ticks(scale).map((ms) => svg("text", { class: "tick-time", x: scale.percent(ms), y: 12 }, tickTime(ms)));
  return el("li", { class: "event axis", "aria-hidden": "true" }, svg("svg", { class: "lane", height: 16, width: "100%" }, ...times));
}

function ticks({ step, length }) {
  return Array.from({ length: Math.ceil(length / step) }, (_, index) => index * step);
}

function tickTime(ms) {
  return ms < 60_000 ? `${ms / 1000} s` : `${+(ms / 60_000).toFixed(1)} min`;
}

/** Joins the attempts at one event: Twilio repeats its idempotency token. */
function joined(rows) {
  const lanes = [];
  const byToken = new Map();
  for (const row of rows) {
    const lane = row.token && byToken.get(row.token);
    if (lane) {
      lane.push(row);
    } else {
      const first = [row];
      lanes.push(first);
      byToken.set(row.token, first);
    }
  }
  return lanes;
}

function laneRow(lane, before, scale, current, onSelect) {
  const [first] = lane;
  const last = lane.at(-1);
  const isCurrent = lane.some((row) => row.id === current.id);
  const drawing = svg("svg", { class: "lane", height: HEIGHT, width: "100%", role: "img", "aria-label": label(lane) },
    ...ticks(scale).slice(1).map((ms) => svg("line", { class: "tick", x1: scale.percent(ms), x2: scale.percent(ms), y1: 0, y2: HEIGHT })),
    ...lane.flatMap((row) => bars(row, scale)));
  return el("li", { class: "event", "data-current": String(isCurrent) },
    el("button", { type: "button", class: "event-name", onclick: () => onSelect(last.id), "aria-current": isCurrent ? "true" : null },
      el("span", { class: "kind" }, ...shown(first.kind)),
      el("span", { class: "route" }, ...shown(first.path)),
      first.origin ? el("span", { class: "origin" }, first.origin) : null,
      lane.length > 1 ? el("span", { class: "origin" }, `${lane.length} attempts`) : null),
    drawing,
    el("span", { class: "event-time" }, clock(first.at), gap(first, before)),
    el("span", { class: "event-took", "data-tone": last.tone },
      last.status === null ? "no answer" : String(last.status), ` in ${duration(last.ms)}`));
}

/** Returns how long after the answer before it a webhook came. */
function gap(first, before) {
  if (!before) {
    return "";
  }
  const last = before.at(-1);
  const ms = first.at - last.at - last.ms;
  return ms >= 0 ? ` \u00b7 ${duration(ms)} later` : " \u00b7 at the same time";
}

function bars(row, { start, percent }) {
  const x = percent(row.at - start);
    return [
    svg("rect", { class: "limit", x, y: 3, width: percent(LIMIT), height: HEIGHT - 6, rx: 3 }),
    svg("rect", { class: "took", "data-tone": row.tone, x, y: 3, width: percent(row.ms), height: HEIGHT - 6, rx: 2 }),
    // Most answers take less than a pixel.
    svg("rect", { class: "took", "data-tone": row.tone, x, y: 3, width: 3, height: HEIGHT - 6, rx: 1.5 }),
  ];
}

function label(lane) {
  const attempts = lane.map((row) =>
    `${row.status ?? "no answer"} after ${duration(row.ms)} of 15 s`);
  return plain(`${lane[0].kind}: ${attempts.join("; ")}`);
}
