// Pre-flight: what must be mended stands first and large, what is good stands small.
"use strict";
(() => {
  const { h, sign, say, slot } = emolab;
  const GROUPS = { mend: "red", look: "amber", good: "green" };

  emolab.on("findings", ({ findings }) => {
    if (!findings.length) {
      slot("findings").replaceChildren(h("p", { class: "empty", text: say("findings_none") }));
      return;
    }
    slot("findings").replaceChildren(
      ...Object.entries(GROUPS).map(([name, light]) => group(name, findings.filter((f) => f.light === light))).filter(Boolean),
    );
  });

  function group(name, findings) {
    if (!findings.length) return null;
    return h("div", { class: `group ${name}` },
      h("h2", { text: `${say("findings_" + name)} (${findings.length})` }), h("ul", {}, ...findings.map(line)));
  }

  function line(f) {
    const item = h("li", { class: f.light, data: { test: "finding", code: f.code, light: f.light } },
      sign(f.light), h("div", {},
        h("p", { class: "text", data: { test: "finding-text" } }, h("span", { class: "aside", text: say("finding_" + f.light) }), f.text,
          f.blocks && !f.overridden ? h("em", { text: say("finding_blocks") }) : null),
        f.cure && f.light !== "green" ? h("p", { class: "cure", text: f.cure, data: { test: "finding-cure" } }) : null,
        f.overridden ? h("p", { class: "over", text: say("finding_overridden", { reason: f.overridden }), data: { test: "finding-over" } }) : null));
    if (f.lifts) item.append(lift(f));
    return item;
  }

  function lift(f) {
    const button = h("button", {
      type: "button", class: f.primary ? "primary" : "", data: { command: "override", arg: f.code, asks: 3, about: f.text },
    }, h("span", { text: say("button_override") }), h("kbd", { text: emolab.newest.words.keys.override }));
    button.addEventListener("click", () => emolab.press(button));
    return button;
  }
})();
