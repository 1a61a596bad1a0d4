// Record: the row of figures.
"use strict";
emolab.on("gauges", (p) => {
  const { h, say } = emolab;
  const gauge = (name, title, ...value) =>
    h("div", { class: `gauge ${name}`, data: { test: `gauge-${name}` } }, h("span", { text: title }), h("b", {}, ...value));
  const rec = p.recording ? h("i", { class: "rec", "aria-hidden": "true" }) : h("i", { class: "rec off", "aria-hidden": "true" });
  emolab.slot("gauges").replaceChildren(
    gauge("rec", say(p.recording ? "recording" : "not_recording"), rec, p.time),
    gauge("clip", p.doing, p.clip),
    gauge("disk", say("disk"), p.disk),
    gauge("battery", p.battery_title, p.battery),
  );
});
