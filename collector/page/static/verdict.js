// Finish: the verdict, why, the files, and the way to the report.
"use strict";
(() => {
  const { h, sign, say, slot } = emolab;
  const SIGNS = { keep: "green", repeat: "amber", exclude: "red", not_judged: "unknown", aborted: "amber", fault: "red" };
  const VERIFIED = new Map([[true, ["green", "verified_yes"]], [false, ["red", "verified_no"]], [null, ["quiet", "verified_wait"]]]);

  emolab.on("verdict", (p) => {
    if (!p.verdict) {
      slot("verdict").replaceChildren(h("p", { class: "empty", text: say("judging") }));
      return;
    }
    slot("verdict").replaceChildren(judged(p), ...(p.files.length ? [files(p)] : []));
  });

  function judged(p) {
    return h("div", { class: `judged ${p.verdict}`, data: { test: "verdict", verdict: p.verdict } },
      h("h1", {}, sign(SIGNS[p.verdict]), p.title), h("p", { class: "text", text: p.text, data: { test: "verdict-text" } }),
      p.next ? h("p", { class: "next" }, say("next"), h("code", { text: p.next, data: { test: "next" } })) : null,
      p.reasons.length ? h("h2", { text: say(p.verdict === "keep" ? "look_at" : "reasons") }) : null,
      p.reasons.length ? h("ul", { data: { test: "reasons" } }, ...p.reasons.map((text) => h("li", { text }))) : null,
      p.report ? h("a", { href: "/report", target: "_blank", rel: "noopener", text: say("report"), data: { test: "report" } }) : null);
  }

  function files(p) {
    const row = (f) => {
      const [kind, key] = VERIFIED.get(f.verified);
      return h("tr", { data: { test: "file", name: f.name, verified: String(f.verified) } },
        h("td", { text: f.name }), h("td", { text: f.size }), h("td", {}, h("span", {}, sign(kind), say(key))));
    };
    return h("div", { class: "files" },
      h("h2", {}, say("files"), h("span", { class: "aside", text: p.verified, data: { test: "verified" } })),
      h("table", {}, h("thead", {}, h("tr", {}, ...["file", "size", "checksum"].map((key) => h("th", { text: say(key) })))),
        h("tbody", {}, ...p.files.map(row))));
  }
})();
