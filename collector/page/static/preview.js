// Preview: the camera's picture with a box round each face, and in words what it shows.
"use strict";
(() => {
  const { h, sign, slot } = emolab;
  const SIGNS = { good: "green", look: "amber", bad: "red", none: "quiet" };

  function frame() {
    slot("preview").replaceChildren(
      h("div", { class: "pv-picture" }, h("img", { alt: "", data: { test: "picture" } }), h("div", { class: "pv-boxes" })),
      h("p", { class: "pv-word", data: { test: "face" }, role: "status" }),
      h("p", { class: "pv-facts", data: { test: "camera-facts" } }));
    const img = slot("preview").querySelector("img");
    img.addEventListener("load", () => img.parentNode.style.setProperty("--ratio", img.naturalWidth / img.naturalHeight));
  }

  emolab.on("preview", (p) => {
    if (!slot("preview").querySelector(".pv-picture")) frame();
    const img = slot("preview").querySelector("img");
    img.hidden = !p.picture;
    if (p.picture && img.src !== p.picture) img.src = p.picture;
    if (!p.picture) img.removeAttribute("src");
    img.alt = p.text;
    slot("preview").querySelector(".pv-boxes").replaceChildren(...p.boxes.map(([x, y, w, hgt]) =>
      h("i", { data: { test: "box" }, style: `left:${100 * x}%;top:${100 * y}%;width:${100 * w}%;height:${100 * hgt}%` })));
    const word = slot("preview").querySelector(".pv-word");
    if (word.dataset.said !== p.state + p.text) {
      word.dataset.said = p.state + p.text;
      word.dataset.state = p.state;
      word.replaceChildren(sign(SIGNS[p.state]), h("b", { text: p.text }));
    }
    slot("preview").querySelector(".pv-facts").textContent = p.facts.join(" · ");
  });
})();
