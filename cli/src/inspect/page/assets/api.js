// Talks to the tool. The secret is in the fragment of the printed URL, which browsers do not send; requests carry it in a
// header, which no other site can set.

export class Refused extends Error {}

function headers(more) {
  return { "X-Inspect-Key": location.hash.slice(1), ...more };
}

/** Returns the JSON of a path. */
export async function read(path) {
  return answer(await fetch(path, { headers: headers() }));
}

/** Does something, and returns the JSON of its result. */
export async function act(path, body = {}) {
  const init = { method: "POST", headers: headers({ "Content-Type": "application/json" }), body: JSON.stringify(body) };
  return answer(await fetch(path, init));
}

async function answer(response) {
  if (response.status === 403) {
    throw new Refused(await response.text());
  }
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  if (!response.ok || !isJson) {
    throw new Error((await response.text()) || `status ${response.status}`);
  }
  return response.json();
}

const LONGEST_WAIT = 5000;

/** Calls `onEvent(name, data)` for each server-sent event, and connects again whenever the connection ends. */
export async function follow(path, onEvent, onState) {
  for (let wait = 250; ; wait = Math.min(wait * 2, LONGEST_WAIT)) {
    try {
      const response = await fetch(path, { headers: headers({ Accept: "text/event-stream" }) });
      if (response.status === 403) {
        onState("refused");
        return;
      }
      if (response.ok) {
        onState("live");
        wait = 250;
        await readEvents(response.body, onEvent);
      }
    } catch {
      // The tool has ended or restarts.
    }
    onState("lost");
    await new Promise((resume) => setTimeout(resume, wait));
  }
}

async function readEvents(body, onEvent) {
  let rest = "";
  for await (const chunk of decoded(body)) {
    const events = (rest + chunk).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const fields = Object.fromEntries(event.split("\n").map((line) => splitOnce(line, ": ")));
      if (fields.data !== undefined) {
        onEvent(fields.event, JSON.parse(fields.data));
      }
    }
  }
}

async function* decoded(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    yield part.value;
  }
}

function splitOnce(line, separator) {
  const at = line.indexOf(separator);
  return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + separator.length)];
}
