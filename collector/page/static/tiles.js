// Record: a tile for every stream.
"use strict";
emolab.on("tiles", ({ tiles, silent }) => {
  const { h, sign, say } = emolab;
  const tile = (t) =>
    h("div", { class: `tile ${t.health}`, data: { test: "tile", name: t.name, health: t.health } },
      sign(t.health),
      h("b", { text: t.name, title: t.name }), h("span", { class: "word", text: say("tile_" + t.health) }),
      h("span", { class: "age", text: t.age }),
      h("p", {}, h("span", { text: t.rate }), h("span", { text: t.lost })));
  emolab.slot("tiles").replaceChildren(
    ...(silent ? [h("p", { class: "silent", text: silent, data: { test: "tiles-silent" } })] : []),
    ...tiles.map(tile),
    ...(tiles.length ? [] : [h("p", { class: "empty", text: say("tiles_none") })]),
  );
});
