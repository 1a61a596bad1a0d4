// Contacts: a round head from above, nose up; a dot for every sensor. Shape and letter say what the colour says.
"use strict";
(() => {
  const { h, say, slot } = emolab;
  const STATES = ["good", "fair", "poor", "none", "unknown"];
  const NS = "http://www.w3.org/2000/svg";
  let p = null; // the newest payload
  let focus = ""; // the sensor that Tab leads to

  function s(tag, attributes = {}, ...children) {
    const element = document.createElementNS(NS, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  // shapes around 0, 0 with radius r
  const SHAPES = {
    good: (r) => s("circle", { r }),
    fair: (r) => s("path", { d: `M0 ${-1.2 * r}L${1.2 * r} 0 0 ${1.2 * r} ${-1.2 * r} 0Z` }),
    poor: (r) => s("path", { d: `M0 ${-1.3 * r}L${1.25 * r} ${0.9 * r}H${-1.25 * r}Z` }),
    none: (r) => s("g", {}, s("rect", { x: -r, y: -r, width: 2 * r, height: 2 * r, rx: 0.2 * r }),
      s("path", { class: "cross", d: `M${-r} ${-r}L${r} ${r}M${r} ${-r}L${-r} ${r}` })),
    unknown: (r) => s("circle", { r, class: "dashed" }),
  };

  function dot(state, r) {
    const middle = state === "poor" ? 0.22 * r : 0;
    const group = s("g", { class: `dot ${state}` }, SHAPES[state](r));
    if (state !== "none") {
      const letter = s("text", { "font-size": 1.35 * r, y: middle, dy: ".36em" });
      letter.textContent = say("cap_letter_" + state);
      group.append(letter);
    }
    return group;
  }

  function frame() {
    const svg = s("svg", { viewBox: "-1.13 -1.2 2.26 2.24", class: "hd-head", role: "group" },
      s("path", { class: "skin", d: "M-.13-.985 0-1.16.13-.985" }),
      s("path", { class: "skin", d: "M-.99-.17c-.09-.05-.1.02-.1.17s.01.24.1.18M.99-.17c.09-.05.1.02.1.17s-.01.24-.1.18" }),
      s("circle", { class: "skin", r: 1 }),
      s("g", { class: "marks" }), s("g", { class: "dots" }));
    svg.addEventListener("keydown", walk);
    slot("contacts").replaceChildren(
      h("div", { class: "hd-top" },
        h("p", { class: "hd-overall", data: { test: "overall" } }, h("b"), h("span"), h("span")),
        h("p", { class: "hd-count", data: { test: "count" } })),
      svg,
      h("p", { class: "hd-advice", data: { test: "advice" } }),
      h("p", { class: "hd-blink", data: { test: "blink" }, role: "status" }),
      h("ul", { class: "hd-legend", data: { test: "legend" } }),
      h("p", { class: "hd-more" }));
    return svg;
  }

  emolab.on("contacts", (payload) => {
    p = payload;
    const svg = slot("contacts").querySelector("svg.hd-head") ?? frame();
    svg.setAttribute("aria-label", say("cap_title"));
    const part = (name) => slot("contacts").querySelector(name);
    const [figure, what, wanted] = part(".hd-overall").children;
    figure.textContent = p.overall == null ? "–" : `${p.overall} %`;
    figure.className = p.overall == null ? "" : p.reached ? "reached" : "missed";
    what.textContent = p.metric;
    wanted.textContent = p.wanted;
    part(".hd-count").textContent = p.count;
    part(".hd-advice").textContent = p.advice;
    part(".hd-advice").classList.toggle("bad", p.worst.length > 0);
    part(".hd-blink").textContent = p.blink.text;
    part(".hd-blink").dataset.state = p.blink.state;
    legend(part(".hd-legend"));
    more(part(".hd-more"));
    dots(svg.querySelector(".dots"));
    marks(svg.querySelector(".marks"));
    closely();
  });
  emolab.on("deck", ({ screen }) => screen !== "contacts" && slot("traces")?.querySelector(".hd-detail")?.remove());
  emolab.on("words", () => p && slot("contacts").querySelector(".hd-legend")?.replaceChildren());

  function legend(list) {
    if (list.children.length) return;
    list.replaceChildren(...STATES.map((state) => {
      const icon = s("svg", { viewBox: "-1.4 -1.4 2.8 2.8", "aria-hidden": "true" }, dot(state, 1));
      return h("li", {}, icon, say("cap_" + state));
    }));
  }

  function more(line) {
    const texts = p.places.marks.filter(([, , at]) => !at).map(([what, text]) => `${say("cap_" + what)}: ${text}`);
    if (p.places.beside.length) {
      const letter = Object.fromEntries(p.sensors.map(([name, state]) => [name, say("cap_letter_" + state)]));
      texts.push(say("cap_beside", { names: p.places.beside.map((name) => `${name} (${letter[name]})`).join(", ") }));
    }
    line.textContent = texts.join(" · ");
  }

  // dots stay the same elements, so that focus and clicks do too; only what changed is drawn anew
  function dots(group) {
    const r = p.places.radius;
    const names = new Set(p.sensors.map(([name]) => name).filter((name) => p.places.at[name]));
    for (const old of [...group.children]) if (!names.has(old.dataset.name)) old.remove();
    if (!names.has(focus)) focus = p.worst.find((name) => names.has(name)) ?? [...names][0] ?? "";
    for (const [name, state, share] of p.sensors) {
      if (!names.has(name)) continue;
      let item = group.querySelector(`[data-name="${CSS.escape(name)}"]`);
      if (!item) {
        item = s("g", { role: "button", "data-test": "sensor" });
        item.dataset.name = name;
        item.addEventListener("click", () => choose(name));
        item.addEventListener("focus", () => { focus = name; tabs(); });
        group.append(item);
      }
      const [x, y] = p.places.at[name];
      const key = `${state} ${x} ${y} ${r} ${document.documentElement.lang}`;
      if (item.dataset.key !== key) {
        item.dataset.key = key;
        item.dataset.state = state;
        item.setAttribute("transform", `translate(${x} ${-y})`);
        const label = s("text", { class: "name", "font-size": 1.05 * r, y: -1.55 * r });
        label.textContent = name;
        item.replaceChildren(s("circle", { class: "hit", r: 1.5 * r }), dot(state, r), ...(r >= 0.04 ? [label] : []));
      }
      item.classList.toggle("chosen", name === p.chosen);
      item.classList.toggle("worst", p.worst.includes(name));
      item.setAttribute("aria-label", `${name}: ${say("cap_" + state)}${share == null ? "" : `, ${share} %`}`);
      item.setAttribute("aria-pressed", name === p.chosen);
    }
    tabs();
  }

  const tabs = () => {
    for (const item of slot("contacts").querySelectorAll(".dots > g")) item.setAttribute("tabindex", item.dataset.name === focus ? 0 : -1);
  };

  function marks(group) {
    group.replaceChildren(...p.places.marks.filter(([, , at]) => at).map(([what, text, [x, y]]) => {
      const r = 0.062;
      const letter = s("text", { "font-size": 1.2 * r, dy: ".36em" });
      letter.textContent = say("cap_mark_" + what);
      const title = s("title");
      title.textContent = `${say("cap_" + what)}: ${text}`;
      return s("g", { transform: `translate(${x} ${-y})`, "data-test": `mark-${what}` },
        s("rect", { x: -1.25 * r, y: -r, width: 2.5 * r, height: 2 * r, rx: 0.35 * r }), letter, title);
    }));
  }

  function choose(name) {
    emitEvent("emolab-sensor", { name: name === p.chosen ? "" : name });
  }

  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  function walk(event) {
    if (event.key === "Enter" || event.key === " ") choose(focus);
    else if (event.key === "Escape") choose(p.chosen);
    else if (STEPS[event.key]) step(STEPS[event.key]);
    else return;
    event.preventDefault();
  }

  // the nearest sensor in a direction: what lies aside counts double
  function step([dx, dy]) {
    const [x, y] = p.places.at[focus] ?? [0, 0];
    let best = null, least = Infinity;
    for (const [name, [u, v]] of Object.entries(p.places.at)) {
      const along = (u - x) * dx + (v - y) * dy, aside = Math.abs((u - x) * dy - (v - y) * dx);
      if (along > 0.02 && aside < 2 * along && along + 2 * aside < least) [best, least] = [name, along + 2 * aside];
    }
    if (best) slot("contacts").querySelector(`.dots [data-name="${CSS.escape(best)}"]`).focus();
  }

  // ---- one sensor closely: stands over the traces

  function closely() {
    const place = slot("traces");
    let panel = place?.querySelector(".hd-detail");
    if (!p.chosen || document.body.dataset.screen !== "contacts") return panel?.remove();
    if (!panel) {
      const close = h("button", { type: "button", data: { test: "detail-close" } });
      close.addEventListener("click", () => choose(p.chosen));
      panel = h("div", { class: "hd-detail", data: { test: "detail" } },
        h("h2", {}, h("b"), h("span", { class: "aside" }), close), h("canvas"), h("canvas"), h("p", { class: "hums" }));
      place.append(panel);
    }
    const d = p.detail;
    panel.dataset.name = d?.name ?? "";
    const [name, spread, close] = panel.querySelector("h2").children;
    name.textContent = p.chosen;
    spread.textContent = d ? d.spread : say("cap_no_signal");
    close.textContent = `✕ ${say("cap_close")}`;
    panel.querySelector(".hums").replaceChildren(...(d?.mains ?? []).map((m) =>
      h("span", { class: m.high ? "high" : "", text: `${m.high ? "▲" : "●"} ${m.text}`, data: { test: "mains", hz: m.hz, uv: m.uv } })));
    const [trace, spectrum] = panel.querySelectorAll("canvas");
    if (d) drawTrace(fit(trace), d);
    if (d) drawSpectrum(fit(spectrum), d);
  }

  function fit(canvas) {
    const scale = devicePixelRatio || 1;
    const [w, hgt] = [Math.round(canvas.clientWidth * scale), Math.round(canvas.clientHeight * scale)];
    if (canvas.width !== w || canvas.height !== hgt) [canvas.width, canvas.height] = [w, hgt];
    const g = canvas.getContext("2d");
    g.setTransform(scale, 0, 0, scale, 0, 0);
    g.clearRect(0, 0, w, hgt);
    g.font = `${parseFloat(getComputedStyle(document.body).fontSize) * 0.95}px ${getComputedStyle(document.body).fontFamily}`;
    return [g, canvas.clientWidth, canvas.clientHeight];
  }

  const NICE = [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
  function drawTrace([g, w, hgt], d) {
    const largest = Math.max(5, ...d.high.map((v) => Math.abs(v ?? 0)), ...d.low.map((v) => Math.abs(v ?? 0)));
    const bar = NICE.find((n) => n >= largest) ?? largest;
    const y = (v) => hgt / 2 - (v / bar) * (hgt / 2 - 3);
    const x = (n) => (n / Math.max(1, d.high.length - 1)) * (w - 8) + 4;
    g.strokeStyle = "#d5dce4";
    line(g, 0, y(0), w, y(0));
    g.strokeStyle = "#12436f";
    g.lineWidth = 1.6;
    g.beginPath();
    let open = false;
    d.high.forEach((high, n) => {
      if (high == null) { open = false; return; }
      if (open) g.lineTo(x(n), y(high)); else g.moveTo(x(n), y(high));
      g.lineTo(x(n), y(d.low[n]));
      open = true;
    });
    g.stroke();
    g.fillStyle = "#47586a";
    g.textBaseline = "top";
    g.fillText(`±${bar} µV`, 6, 3);
  }

  function drawSpectrum([g, w, hgt], d) {
    if (!d.step_hz) return;
    const [least, most] = d.range, bottom = hgt - 24, left = 6;
    const top = (d.db.length - 1) * d.step_hz;
    const x = (hz) => left + (hz / top) * (w - left - 8), y = (db) => bottom - ((db - least) / (most - least)) * (bottom - 4);
    g.textBaseline = "bottom";
    for (let hz = 0; hz <= top; hz += 10) {
      g.strokeStyle = "#e3e8ee";
      line(g, x(hz), 0, x(hz), bottom);
      g.fillStyle = "#47586a";
      g.fillText(hz ? `${hz}` : "Hz", x(hz) + 3, hgt);
    }
    for (const m of d.mains) {
      g.fillStyle = m.high ? "#b3201b55" : "#ffc23366";
      g.fillRect(x(m.hz - 1), 0, x(m.hz + 1) - x(m.hz - 1), bottom);
    }
    g.strokeStyle = "#12436f";
    g.lineWidth = 2;
    g.beginPath();
    d.db.forEach((db, n) => (n ? g.lineTo(x(n * d.step_hz), y(db)) : g.moveTo(x(0), y(db))));
    g.stroke();
    g.fillStyle = "#47586a";
    g.textBaseline = "top";
    g.fillText(`${most}`, left + 3, 3);
    g.fillText(say("cap_spectrum"), x(10) + 6, 3);
    g.textBaseline = "bottom";
    g.fillText(`${least}`, left + 3, bottom);
  }

  function line(g, ...[x0, y0, x1, y1]) {
    g.beginPath();
    g.moveTo(x0, y0);
    g.lineTo(x1, y1);
    g.stroke();
  }
})();
