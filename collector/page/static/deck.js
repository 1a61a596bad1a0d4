// Light, instruction, buttons: what stands on every screen.
"use strict";
(() => {
  const { h, sign, say } = emolab;
  const at = (id) => document.getElementById(id);
  const STEPS = ["preflight", "contacts", "record", "finish"];

  emolab.on("deck", (p) => {
    document.body.dataset.screen = p.screen;
    const screens = at("screens");
    screens.dataset.screen = p.screen;
    for (const slot of screens.querySelectorAll("[data-screens]")) slot.hidden = !slot.dataset.screens.split(" ").includes(p.screen);
    at("silent").hidden = p.silent == null;
    at("silent").querySelector("strong").textContent = say("silent", { s: p.silent });
    at("silent").querySelector("span").textContent = say("silent_what");
    at("banner").hidden = !p.simulated;
    at("banner").textContent = say("simulated");
    if (!p.screen) {
      at("instruction").textContent = say("waiting");
      return;
    }
    document.title = `${say("light_" + p.light)} · ${say("step_" + p.screen)} · emolab`;
    who(p.who);
    steps(p.screen);
    light(p.light);
    at("instruction").textContent = p.instruction.text;
    at("instruction").dataset.code = p.instruction.code;
    buttons(p.buttons);
    line("why", p.why);
    line("told", p.told?.text ?? "");
    at("told").dataset.ok = p.told?.ok ?? "";
  });

  function who([study, participant, session, run]) {
    const part = (key, value) => !value ? "" : h("span", { data: { test: key } }, `${say(key)} `, h("b", { text: value }));
    at("who").replaceChildren(
      h("b", { text: study, data: { test: "study" } }),
      part("participant", participant), part("session", session), part("run", run),
    );
  }

  function steps(screen) {
    const here = STEPS.indexOf(screen);
    at("steps").replaceChildren(
      ...STEPS.map((step, n) => {
        const state = n < here ? "past" : n === here ? "here" : "ahead";
        return h("li", { class: state, "aria-current": n === here ? "step" : null },
          h("i", { text: n < here ? "✓" : n + 1 }), say("step_" + step));
      }),
    );
  }

  function light(kind) {
    if (at("deck").dataset.light === kind && at("light").lang === document.documentElement.lang) return; // is read aloud
    at("deck").dataset.light = kind;
    at("light").dataset.light = kind;
    at("light").lang = document.documentElement.lang;
    at("light").replaceChildren(sign(kind), h("b", { text: say("light_" + kind) }));
  }

  // buttons stay the same elements: one that is replaced between press and release would miss its click
  function buttons(wanted) {
    const row = at("buttons");
    for (const old of [...row.children]) if (!wanted.some((b) => b.verb === old.dataset.command)) old.remove();
    wanted.forEach((b, n) => {
      let button = row.querySelector(`[data-command="${b.verb}"]`);
      if (!button) {
        button = h("button", { type: "button", data: { command: b.verb, test: `button-${b.verb}` } }, h("span"), h("kbd"));
        button.addEventListener("click", () => emolab.press(button));
      }
      if (row.children[n] !== button) row.insertBefore(button, row.children[n] ?? null);
      button.firstChild.textContent = b.label;
      button.lastChild.textContent = b.key;
      button.setAttribute("aria-keyshortcuts", b.key);
      button.disabled = !b.enabled;
      button.classList.toggle("primary", b.primary);
      button.dataset.arg = b.arg;
      if (b.asks == null) delete button.dataset.asks;
      else button.dataset.asks = b.asks;
    });
  }

  function line(id, text) {
    at(id).hidden = !text;
    if (at(id).textContent !== text) at(id).textContent = text;
  }
})();
