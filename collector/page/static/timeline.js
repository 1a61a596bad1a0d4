// Record: what has happened so far, on one line from the start to now.
"use strict";
(() => {
  const { h, say, slot } = emolab;
  const LEAST_S = 60; // a session that has just begun does not jump about
  const POINTS = new Set(["alarm", "note"]);
  let moments = [];

  emolab.on("timeline", (p) => { moments = p.moments; draw(); });
  emolab.on("gauges", (p) => {
    draw();
    const also = document.getElementById("also");
    also.textContent = p.troubles.length ? say("also", { texts: p.troubles.join(" · ") }) : "";
    slot("timeline").querySelector(".legend").hidden = p.troubles.length > 0; // there is room for one of them
  });

  function draw() {
    const now = emolab.newest.gauges?.t_s ?? 0;
    const end = Math.max(LEAST_S, now * 1.03);
    const left = (t) => `${(100 * Math.max(0, t)) / end}%`;
    const kinds = [...new Set(moments.map((m) => m.kind))];
    if (!document.getElementById("also")) {
      slot("timeline").replaceChildren(
        h("h2", {}, h("span", { id: "timeline-title" }), h("span", { class: "legend" }), h("span", { id: "also", data: { test: "also" } })),
        h("div", { class: "line" }), h("div", { class: "scale" }));
    }
    document.getElementById("timeline-title").textContent = say("timeline");
    slot("timeline").querySelector(".legend").replaceChildren(
      ...kinds.map((kind) => h("span", { class: `key ${kind}` }, h("i"), say("kind_" + kind))));
    slot("timeline").querySelector(".line").replaceChildren(
      ...moments.map((m) => one(m, now, left, end)), h("div", { class: "now", style: `left:${left(now)}` }));
    const step = [15, 30, 60, 120, 300, 600, 1200, 3600].find((s) => end / s <= 8) ?? 7200;
    const ticks = Array.from({ length: Math.floor(end / step) + 1 }, (_, n) => n * step).filter((t) => t < 0.95 * end);
    slot("timeline").querySelector(".scale").replaceChildren(
      ...ticks.map((t) => h("span", { style: `left:${left(t)}`, text: `${Math.floor(t / 60)}:${String(t % 60).padStart(2, "0")}` })));
  }

  function one(m, now, left, end) {
    const title = `${say("kind_" + m.kind)}: ${m.text}`;
    const data = { test: "moment", kind: m.kind };
    if (POINTS.has(m.kind)) return h("div", { class: `point ${m.kind}`, style: `left:${left(m.t_s)}`, title, data });
    const length = m.for_s ?? Math.max(0, now - m.t_s);
    const wide = length / end > 0.06;
    return h("div", {
      class: `span ${m.kind}`, style: `left:${left(m.t_s)};width:${(100 * length) / end}%`, title, data,
      text: !wide ? "" : m.kind === "clip" ? m.text : say("kind_" + m.kind),
    });
  }
})();
