// Traces: columns of pixels come ten times a second; here they are kept and drawn, newest at the right.
"use strict";
(() => {
  const { h, say, slot } = emolab;
  const SCALES = [5, 10, 20, 50, 100, 200, 500, 1000, 2000]; // microvolts from one channel to the next
  const LATE_S = 0.4; // the right edge lies so far behind now: packets have come by then
  const TENTHS = 10;
  let p = null, epoch = null, size = 0, low = [], high = [], seen = null, edge = 0, scale = 3, held = null, asked = false, upTo = null;
  emolab.traces = { columns: () => seen, state: () => ({ held: held !== null, scale: SCALES[scale], names: p?.names, edge }) };

  emolab.on("traces", (payload) => {
    p = payload;
    if (!p.names.length) return draw();
    if (!asked) { // whoever comes late asks for the seconds before
      asked = true;
      emitEvent("emolab-traces", {});
    }
    if (p.epoch !== epoch) begin();
    take();
    edge = p.now - Math.round(LATE_S * p.rate);
    draw();
  });

  function begin() {
    epoch = p.epoch;
    size = Math.ceil((p.seconds + 2) * p.rate);
    low = p.names.map(() => new Float32Array(size));
    high = p.names.map(() => new Float32Array(size));
    seen = new Int32Array(size).fill(-1); // which column lies here; -1 in a gap
    held = upTo = null;
  }

  function take() {
    const gaps = new Set(p.gaps);
    const n = p.low[0]?.length ?? 0;
    if (!n) return;
    if (upTo !== null && p.first > upTo) emitEvent("emolab-traces", {}); // updates were missed: no gap of the EEG's
    upTo = p.first + n;
    for (let k = Math.max(0, n - size); k < n; k++) {
      const at = (p.first + k) % size;
      seen[at] = gaps.has(k) ? -1 : (p.first + k) % 2 ** 31;
      for (let c = 0; c < low.length; c++) {
        low[c][at] = p.low[c][k] / TENTHS;
        high[c][at] = p.high[c][k] / TENTHS;
      }
    }
  }

  // ---- what stands around the canvas

  function frame() {
    const button = (test, act) => {
      const one = h("button", { type: "button", data: { test } });
      one.addEventListener("click", act);
      return one;
    };
    const bar = h("div", { class: "tr-bar" },
      h("b"), h("span", { class: "tr-scale", data: { test: "trace-scale" } }),
      button("trace-smaller", () => zoom(1)), button("trace-larger", () => zoom(-1)), button("trace-pause", hold),
      button("trace-band", () => emitEvent("emolab-traces", { band: !p.band })),
      button("trace-notch", () => emitEvent("emolab-traces", { notch: !p.notch })),
      button("trace-page", () => emitEvent("emolab-traces", { page: p.page + 1 })));
    const canvas = h("canvas", { data: { test: "traces" }, tabindex: 0, role: "img" });
    canvas.addEventListener("keydown", (event) => {
      const act = { "+": () => zoom(-1), "=": () => zoom(-1), "-": () => zoom(1), " ": hold, PageDown: next, PageUp: before }[event.key];
      if (!act) return;
      event.preventDefault();
      event.stopPropagation();
      act();
    });
    slot("traces").prepend(bar, canvas, h("p", { class: "tr-text", data: { test: "trace-text" }, role: "status", hidden: true }));
    new ResizeObserver(draw).observe(canvas);
    return canvas;
  }

  const next = () => emitEvent("emolab-traces", { page: p.page + 1 });
  const before = () => emitEvent("emolab-traces", { page: p.page + p.pages - 1 });
  function zoom(by) { scale = Math.max(0, Math.min(SCALES.length - 1, scale + by)); draw(); }
  function hold() { held = held === null ? edge : null; draw(); }

  function bar() {
    const at = (test) => slot("traces").querySelector(`[data-test="${test}"]`);
    const put = (test, text, more = {}) => {
      const one = at(test);
      if (one.textContent !== text) one.textContent = text;
      for (const [name, value] of Object.entries(more)) one.setAttribute(name, value);
    };
    slot("traces").querySelector(".tr-bar b").textContent = say("trace_title");
    put("trace-scale", `↕ ${SCALES[scale]} µV`);
    put("trace-smaller", "−", { "aria-label": say("trace_smaller"), title: say("trace_smaller") });
    put("trace-larger", "+", { "aria-label": say("trace_larger"), title: say("trace_larger") });
    put("trace-pause", held === null ? `❚❚ ${say("trace_pause")}` : `▶ ${say("trace_go_on")}`, { "aria-pressed": held !== null });
    put("trace-band", `${p.band ? "☑" : "☐"} ${say("trace_band")}`, { "aria-pressed": !!p.band });
    put("trace-notch", `${p.notch ? "☑" : "☐"} ${say("trace_notch")}`, { "aria-pressed": !!p.notch });
    put("trace-page", `${say("trace_page", { page: (p.page ?? 0) + 1, pages: p.pages ?? 1 })} ▸`, { "aria-label": say("trace_next") });
    at("trace-page").hidden = (p.pages ?? 1) < 2;
    const text = at("trace-text");
    text.textContent = p.text || (held === null ? "" : say("trace_held"));
    text.hidden = !text.textContent;
    text.classList.toggle("bad", !!p.text);
  }

  // ---- the canvas

  function draw() {
    if (!p || !slot("traces")) return;
    const canvas = slot("traces").querySelector("canvas[data-test=traces]") ?? frame();
    bar();
    canvas.setAttribute("aria-label", say("trace_title"));
    const dots = devicePixelRatio || 1, w = canvas.clientWidth, hgt = canvas.clientHeight;
    if (!w || !hgt) return;
    if (canvas.width !== Math.round(w * dots)) canvas.width = Math.round(w * dots);
    if (canvas.height !== Math.round(hgt * dots)) canvas.height = Math.round(hgt * dots);
    const g = canvas.getContext("2d");
    g.setTransform(dots, 0, 0, dots, 0, 0);
    g.clearRect(0, 0, w, hgt);
    if (!p.names.length) return;
    const font = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const top = font * 1.3, row = (hgt - top - 4) / p.names.length, left = font * 3.1;
    const last = held ?? edge, count = Math.round(p.seconds * p.rate), x = (n) => w - ((last - n) / count) * (w - left);
    grid(g, { w, hgt, top, left, last, x, font });
    g.save();
    g.beginPath();
    g.rect(left, top, w - left, hgt - top);
    g.clip();
    g.strokeStyle = "#12436f";
    g.lineWidth = 1;
    for (let c = 0; c < p.names.length; c++) channel(g, c, top + row * (c + 0.5), row / SCALES[scale], { last, count, x });
    g.restore();
    names(g, top, row, font);
    ruler(g, { w, hgt, row, font });
  }

  // how much a microvolt is: a bar as high as some rows
  function ruler(g, { w, hgt, row, font }) {
    const rows = [1, 2, 5, 10].find((n) => n * row >= 22) ?? 20, px = w - 10, high = rows * row;
    const text = `${rows * SCALES[scale]} µV`;
    g.font = `600 ${font * 0.9}px ${family()}`;
    g.textBaseline = "middle";
    const wide = g.measureText(text).width;
    g.fillStyle = "#ffffffd0";
    g.fillRect(px - wide - 12, hgt - high - 10, wide + 22, high + 10);
    g.strokeStyle = g.fillStyle = "#14202b";
    g.lineWidth = 3;
    upright(g, px, hgt - high - 5, hgt - 5);
    g.fillText(text, px - wide - 7, hgt - 5 - high / 2);
  }

  const family = () => getComputedStyle(document.body).fontFamily;

  function channel(g, c, middle, factor, { last, count, x }) {
    let zero = 0;
    if (!p.band) { // an amplifier's own zero lies anywhere
      let sum = 0, n = 0;
      for (let k = last - count; k <= last; k++) if (there(k)) { sum += high[c][k % size] + low[c][k % size]; n += 2; }
      zero = n ? sum / n : 0;
    }
    g.beginPath();
    let open = false;
    for (let k = last - count; k <= last; k++) {
      if (!there(k)) { open = false; continue; }
      const at = k % size, px = x(k);
      const a = middle - (high[c][at] - zero) * factor, b = middle - (low[c][at] - zero) * factor;
      if (open) g.lineTo(px, a); else g.moveTo(px, a);
      g.lineTo(px, b === a ? b + 0.5 : b);
      open = true;
    }
    g.stroke();
  }

  const there = (k) => k >= 0 && seen[k % size] === k % 2 ** 31;

  function grid(g, { w, hgt, top, left, last, x, font }) {
    g.textBaseline = "top";
    g.font = `${font * 0.85}px ${family()}`;
    g.lineWidth = 1;
    for (let n = Math.floor(last / p.rate); n > last / p.rate - p.seconds; n--) {
      g.strokeStyle = "#e8ecf1";
      upright(g, x(n * p.rate), top, hgt);
    }
    g.fillStyle = "#fbe3e1"; // gaps: nothing was received
    for (let k = last - Math.round(p.seconds * p.rate), from = null; k <= last + 1; k++) {
      const gap = k <= last && !there(k) && some(k);
      if (gap && from === null) from = k;
      else if (!gap && from !== null) { if (k - from > 2) g.fillRect(x(from), top, x(k) - x(from), hgt - top); from = null; }
    }
    let free = -Infinity;
    g.lineWidth = 2;
    for (const [n, text] of p.marks) {
      const px = x(n);
      if (px < left || px > w) continue;
      g.strokeStyle = "#8a2be2";
      upright(g, px, 0, hgt);
      if (px < free) continue;
      g.fillStyle = "#5d1a9c";
      const short = text.split(" ").slice(0, 2).join(" ");
      g.fillText(short, px + 4, 1);
      free = px + 8 + g.measureText(short).width;
    }
  }

  // before the first column that was ever seen there is no gap, only nothing yet
  let first = null, firstOf = null;
  function some(k) {
    if (firstOf !== epoch) { firstOf = epoch; first = null; }
    if (first === null) { const known = seen.filter((v) => v >= 0); first = known.length ? Math.min(...known) : null; }
    return first !== null && k > first;
  }

  function upright(g, px, from, to) {
    g.beginPath();
    g.moveTo(px, from);
    g.lineTo(px, to);
    g.stroke();
  }

  function names(g, top, row, font) {
    const px = Math.min(font, Math.max(9, row * 0.95));
    const every = row * 1.1 < px ? Math.ceil(px / (row * 1.1)) : 1;
    g.font = `600 ${px}px ${family()}`;
    g.textBaseline = "middle";
    g.fillStyle = "#14202b";
    p.names.forEach((name, c) => { if (c % every === 0) g.fillText(name, 2, top + row * (c + 0.5)); });
  }
})();
