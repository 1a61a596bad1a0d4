// The one door between the page's server and its parts: emolab.update(..) comes ten times a second, emolab.send(..) goes back.
"use strict";
const emolab = {
  log: [],      // of every update: its number, and when it came (ms)
  words: {},    // texts in the session's language
  newest: {},   // the last payload of every part
  _parts: {},

  on(name, show) {
    this._parts[name] = show;
    if (name in this.newest) show(this.newest[name]);
  },

  update({ seq, ...payloads }) {
    this.log.push({ seq, t: performance.now() });
    if (this.log.length > 5000) this.log.shift();
    Object.assign(this.newest, payloads);
    for (const [name, payload] of Object.entries(payloads)) {
      try {
        this._parts[name]?.(payload);
      } catch (error) {
        console.error(name, error); // one part that fails does not take the others along
      }
    }
  },

  send(verb, reason = "", arg = "") {
    emitEvent("emolab-command", { verb, reason, arg });
  },
};
globalThis.emolab = emolab;
