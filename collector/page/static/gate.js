// Contacts: how far the gate is, and whether somebody wears the cap; the latter on Record too.
"use strict";
(() => {
  const { h, sign, say, slot } = emolab;
  const CONTACT = { ok: "green", no_blinks: "red", not_checked: "amber" };

  emolab.on("gate", ({ gate, contact }) => slot("gate").replaceChildren(...(gate ? of(gate) : none()), cap(contact)));
  // on Record: the cues come after START
  emolab.on("contact_check", (contact) => slot("contact_check").replaceChildren(cap(contact)));

  const none = () => [h("h2", { text: say("gate") }), h("p", { text: say("gate_none") })];

  function of(g) {
    const light = g.green ? "green" : "amber";
    return [
      h("h2", {}, say("gate"), h("span", { class: "aside", text: g.required })),
      h("div", { class: "state", data: { test: "gate", light } }, sign(light), h("b", { text: g.open })),
      h("p", { class: "figure", text: g.good, data: { test: "gate-good" } }),
      h("p", { text: g.overall, data: { test: "gate-overall" } }),
      bar(g.overall_frac ?? 0, g.threshold_frac),
      h("p", { text: g.held, data: { test: "gate-held" } }),
      bar(g.held_frac),
      g.overridden ? h("p", { class: "over", text: g.overridden, data: { test: "gate-over" } }) : null,
    ].filter(Boolean);
  }

  function bar(frac, mark) {
    const line = h("div", { class: "bar", "aria-hidden": "true" }, h("i", { style: `width:${100 * Math.min(1, frac)}%` }));
    if (mark !== undefined) line.append(h("u", { style: `left:${100 * mark}%` }));
    return line;
  }

  function cap(c) {
    return h("div", { class: "cap", data: { test: "contact", state: c.state } },
      h("h2", { text: say("contact") }), h("p", {}, CONTACT[c.state] ? sign(CONTACT[c.state]) : null, c.text),
      c.alpha ? h("p", { text: c.alpha, data: { test: "alpha" } }) : null,
      c.overridden ? h("p", { class: "over", text: c.overridden }) : null);
  }
})();
