// The page: connects the tool's events, the list, the request that is read, the dialogs and the keys.

import { act, follow, read } from "./api.js";
import { Compose } from "./compose.js";
import { drawDetail, refreshDetail } from "./detail.js";
import { showCopy, showKeys } from "./dialogs.js";
import { byId, el } from "./dom.js";
import { onKeys } from "./keys.js";
import { List } from "./list.js";
import { Store } from "./store.js";
import { setMasking } from "./text.js";

const COPY_TITLES = { curl: "A curl command, signed", capture: "A capture for explain", test: "A Rust test" };

const panes = byId("panes");
const pane = byId("detail");
const store = new Store();
const list = new List(store, open);
const compose = new Compose(async (request) => showResult(await act("api/send", request)));
let about = null;
let shownDetail = null;

/** Shows a request. `reads` says that the user turns to it, which matters where only one pane fits. */
async function open(id, reads) {
  if (reads) {
    showPane("detail");
  }
  let detail;
  try {
    detail = await read(`api/exchanges/${id}`);
  } catch (err) {
    return note(err.message, "danger");
  }
  // Another request may have been selected meanwhile.
  if (list.selected === id) {
    const isShown = shownDetail?.row.id === id;
    shownDetail = detail;
    // What was made here may be read before its event has come.
    if (!store.get(id)) {
      store.update({ rows: [detail.row], dropped: [] });
    }
    if (isShown && !reads) {
      drawShown(refreshDetail);
    } else {
      drawShown(drawDetail);
      pane.scrollTop = 0;
    }
    if (reads) {
      pane.focus({ preventScroll: true });
    }
  }
}

function drawShown(draw) {
  if (shownDetail) {
    const { row } = shownDetail;
    draw(pane, shownDetail, store.group(store.get(row.id) ?? row), {
      act: (action) => run(action),
      copy: (form) => copy(form),
      select: (id) => list.select(id, true),
      back,
    });
  }
}

function showPane(name) {
  panes.dataset.shown = name;
}

function back() {
  showPane("list");
  list.focus();
}

/** Does something with the selected request. */
async function run(action) {
  const id = list.selected;
  if (id === null || !shownDetail) {
    return note("Select a request first.");
  }
  if (action === "edit") {
    const { Ok: draft, Err: problem } = shownDetail.edit;
    return draft ? compose.openRequest(draft) : note(problem, "failed");
  }
  await attempt(async () => showResult(await act(`api/exchanges/${id}/${action}`)));
}

async function copy(form) {
  const id = list.selected;
  pane.querySelector(".menu")?.removeAttribute("open");
  await attempt(async () => showCopy(COPY_TITLES[form], (await read(`api/exchanges/${id}/copy/${form}`)).text));
}

async function attempt(doIt) {
  try {
    await doIt();
  } catch (err) {
    note(err.message, "danger");
  }
}

/** Shows the request that an action has made. */
function showResult({ id, note: text, tone }) {
  note(text, tone);
  list.select(id, true);
}

let noteTimer;

function note(text, tone = "other") {
  const notice = byId("notice");
  notice.textContent = text;
  notice.dataset.tone = tone;
  notice.hidden = false;
  clearTimeout(noteTimer);
  noteTimer = setTimeout(() => { notice.hidden = true; }, 6000);
}

function drawList() {
  list.draw();
  const visible = store.visible().length;
  byId("count").textContent = store.size === 0 ? "" : visible === store.size ? requests(visible) : `${visible} of ${requests(store.size)}`;
  byId("empty").hidden = visible > 0;
  byId("list").hidden = visible === 0;
  if (visible === 0) {
    drawEmpty();
  }
  const kinds = byId("kind");
  const known = [...kinds.options].map((option) => option.value).join();
  const wanted = ["", ...store.kinds()];
  if (known !== wanted.join()) {
    kinds.replaceChildren(...wanted.map((kind) => el("option", { value: kind }, kind || "All kinds")));
    kinds.value = wanted.includes(store.filter.kind) ? store.filter.kind : "";
  }
}

function requests(count) {
  return count === 1 ? "1 request" : `${count} requests`;
}

function drawEmpty() {
  if (store.size > 0) {
    byId("empty").replaceChildren(el("p", {}, "No request matches."),
      el("button", { type: "button", onclick: clearFilter }, "Show all requests"));
    return;
  }
  const port = about?.port ?? "PORT";
  byId("empty").replaceChildren(
    el("h2", {}, "No request yet"),
    el("ol", {},
      el("li", {}, "Point your tunnel at this tool: ", el("code", {}, `ngrok http ${port}`)),
      el("li", {}, "Set the webhook at Twilio to the tunnel\u2019s URL and the path of your route."),
      el("li", {}, "Send a message to your number, or call it.")),
    el("p", {}, "Without Twilio: ", el("button", { type: "button", onclick: openSend }, "Send a signed event")));
}

function clearFilter() {
  store.filter = { text: "", kind: "", refused: false };
  byId("search").value = "";
  byId("kind").value = "";
  byId("refused").checked = false;
  store.changed();
}

function openSend() {
  if (about) {
    compose.openEvent({ ...about, routes: store.routes() });
  }
}

function setMask(on) {
  byId("mask").checked = on;
  setMasking(on);
  list.redraw();
  drawShown(drawDetail);
}

function setRefused(on) {
  byId("refused").checked = on;
  store.filter.refused = on;
  store.changed();
}

/** Draws at most once a frame, however many requests come. */
let planned = false;
store.onChange(() => {
  if (!planned) {
    planned = true;
    requestAnimationFrame(() => {
      planned = false;
      drawList();
    });
  }
});

const STATES = { live: "live", connecting: "connecting", lost: "connection lost", refused: "wrong key" };

function showState(state) {
  const connection = byId("connection");
  connection.dataset.state = state;
  connection.textContent = STATES[state];
  if (state === "refused") {
    byId("list").hidden = true;
    byId("empty").hidden = false;
    byId("empty").replaceChildren(
      el("h2", {}, "The key is missing or wrong"),
      el("p", {}, "Open the whole URL that ", el("code", {}, "twilio-webhook listen"), " has printed, with the part after #. It changes at each start."));
  }
}

function onEvent(name, data) {
  if (name === "all") {
    store.reset(data.rows);
  } else if (name === "changed") {
    store.update(data);
    // New webhooks of the call that is read belong to its timeline.
    const row = shownDetail?.row;
    const isRelated = (other) => other.id === row.id || (row.call && other.call === row.call) || (row.message && other.message === row.message);
    if (row && data.rows.some(isRelated)) {
      open(row.id, false);
    }
  }
}

byId("search").addEventListener("input", (event) => {
  store.filter.text = event.target.value;
  store.changed();
});
byId("kind").addEventListener("change", (event) => {
  store.filter.kind = event.target.value;
  store.changed();
});
byId("refused").addEventListener("change", (event) => setRefused(event.target.checked));
byId("mask").addEventListener("change", (event) => setMask(event.target.checked));
byId("send").addEventListener("click", openSend);
byId("help").addEventListener("click", showKeys);
addEventListener("hashchange", () => location.reload());

onKeys(list, {
  read: () => list.selected !== null && list.select(list.selected, true),
  back,
  search: () => { showPane("list"); byId("search").focus(); },
  refused: () => setRefused(!store.filter.refused),
  mask: () => setMask(!byId("mask").checked),
  act: run,
  send: openSend,
  help: showKeys,
});

pane.replaceChildren(el("p", { class: "placeholder" }, "Select a request to see why it was accepted or refused."));
follow("api/events", onEvent, showState);
about = await read("api/about").catch(() => null);
if (about) {
  byId("way").hidden = false;
  byId("way").replaceChildren(el("span", {}, about.publicUrl ?? "tunnel"), " \u2192 ", el("span", {}, `:${about.port}`), " \u2192 ", el("span", {}, about.app));
  store.changed();
}
