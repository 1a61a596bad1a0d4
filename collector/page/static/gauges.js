// Record: the row of figures.
"use strict";
emolab.on("gauges", (p) => {
  const { h, say } = emolab;
  const gauge = (name, title, value, more) =>
    h("div", { class: `gauge ${name}`, data: { test: `gauge-${name}` } },
      h("span", { text: title }), h("b", {}, ...value), more ? h("small", { text: more }) : null);
  const rec = p.recording ? h("i", { class: "rec", "aria-hidden": "true" }) : h("i", { class: "rec off", "aria-hidden": "true" });
  emolab.slot("gauges").replaceChildren(
    gauge("rec", say(p.recording ? "recording" : "not_recording"), [rec, p.time]),
    gauge("doing", say("on_screen"), [p.doing], p.clip),
    gauge("disk", say("disk"), [p.disk]),
    gauge("battery", say("battery"), [p.battery], p.battery_left),
  );
  const also = document.getElementById("also");
  if (also) also.textContent = p.troubles.length ? say("also", { texts: p.troubles.join(" · ") }) : "";
});
