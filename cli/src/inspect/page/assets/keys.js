// The keyboard: each key does one thing, except while something is typed or a dialog is open.

/** Connects the keys with a list and with what they do. */
export function onKeys(list, actions) {
  const keys = {
    j: () => list.move(1),
    ArrowDown: () => list.move(1),
    k: () => list.move(-1),
    ArrowUp: () => list.move(-1),
    Home: () => list.move(-Infinity),
    End: () => list.move(Infinity),
    Enter: actions.read,
    Escape: actions.back,
    "/": actions.search,
    x: actions.refused,
    m: actions.mask,
    r: () => actions.act("replay"),
    e: () => actions.act("edit"),
    f: () => actions.act("forge"),
    s: actions.send,
    "?": actions.help,
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) {
      return;
    }
    const { target } = event;
    const types = target.matches("input:not([type=checkbox]), textarea, select");
    if (types) {
      if (event.key === "Escape" || (event.key === "Enter" && target.type === "search")) {
        event.preventDefault();
        list.focus();
      }
      return;
    }
    // A button or a link has its own Enter, and scrolling text has its own arrows.
    const isOwn = event.key === "Enter" ? target.matches("button, a, summary") : target.matches("pre, .scroll, .detail-pane") && /^(Arrow|Home|End)/.test(event.key);
    if (Object.hasOwn(keys, event.key) && !isOwn) {
      event.preventDefault();
      keys[event.key]();
    }
  });
}
