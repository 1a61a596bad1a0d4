// The one door between the page's server and its parts: emolab.update(..) comes ten times a second, emolab.send(..) goes back.
"use strict";
const emolab = {
  log: [], // of every update: its number, and when it came (ms)
  words: {}, // texts in the session's language
  newest: {}, // the last payload of every part
  _parts: {},

  on(name, show) {
    (this._parts[name] ??= []).push(show);
    if (name in this.newest) show(this.newest[name]);
  },

  update({ seq, ...payloads }) {
    this.log.push({ seq, t: performance.now() });
    if (this.log.length > 5000) this.log.shift();
    Object.assign(this.newest, payloads);
    for (const [name, payload] of Object.entries(payloads)) {
      for (const show of this._parts[name] ?? []) {
        try {
          show(payload);
        } catch (error) {
          console.error(name, error); // a part that fails does not take the others along
        }
      }
    }
  },

  send(verb, reason = "", arg = "") {
    emitEvent("emolab-command", { verb, reason, arg });
  },

  // h("p", { class: "why", text: "..", data: { test: "why" } }, child, ..): texts are never read as markup
  h(tag, { text, data, ...attributes } = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === true) element.setAttribute(name, "");
      else if (value !== false && value != null) element.setAttribute(name, value);
    }
    Object.assign(element.dataset, data ?? {});
    if (text != null) element.textContent = text;
    element.append(...children.filter((child) => child != null));
    return element;
  },

  // a sign for each state that differs in shape, so that colour is never alone
  sign(kind) {
    const shapes = {
      green: '<circle cx="50" cy="50" r="46"/><path class="in" d="M28 52l15 16 29-34"/>',
      amber: '<path d="M50 6 97 92H3z"/><path class="in" d="M50 36v26M50 76v2"/>',
      red: '<path d="M31 4h38l27 27v38L69 96H31L4 69V31z"/><path class="in" d="M33 33l34 34M67 33 33 67"/>',
      unknown: '<rect x="6" y="6" width="88" height="88" rx="14"/><path class="in" d="M34 38c0-22 33-22 33-2 0 14-17 13-17 27M50 76v2"/>',
      quiet: '<rect x="8" y="38" width="84" height="24" rx="12"/>',
    };
    const alias = { good: "green", look: "amber", bad: "red" };
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 100 100");
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("class", `sign ${alias[kind] ?? kind}`);
    svg.innerHTML = shapes[alias[kind] ?? kind];
    return svg;
  },

  slot: (name) => document.querySelector(`[data-slot="${name}"]`),
  say: (key, values = {}) => (emolab.words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? ""),
};
globalThis.emolab = emolab;
