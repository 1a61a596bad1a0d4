// What a button does: send its command, or ask for words first. Keys do what buttons do, never while somebody types.
"use strict";
(() => {
  const { h, say } = emolab;
  const at = (id) => document.getElementById(id);
  let asked = null;

  emolab.press = (button) => {
    const { command, arg = "", asks, about = "" } = button.dataset;
    if (button.disabled || at("ask").open) return;
    if (asks === undefined) emolab.send(command, "", arg);
    else ask(command, arg, Number(asks), about);
  };

  function ask(verb, arg, chars, about) {
    asked = { verb, arg, chars };
    at("ask-title").textContent = say("ask_" + verb);
    at("ask-about").textContent = about;
    at("ask-what").textContent = say(`ask_${verb}_what`);
    at("ask-short").textContent = "";
    at("ask-text").value = "";
    at("ask-ready").replaceChildren(
      ...[1, 2, 3].map((n) => emolab.words[`reason_${verb}_${n}`]).filter(Boolean).map((text) => {
        const ready = h("button", { type: "button", text });
        ready.addEventListener("click", () => { at("ask-text").value = text; at("ask-text").focus(); });
        return ready;
      }),
    );
    at("ask").dataset.command = verb;
    at("ask").showModal();
    at("ask-text").focus();
  }

  function answer(event) {
    event.preventDefault();
    const text = at("ask-text").value.trim();
    if (text.length < asked.chars) {
      at("ask-short").textContent = say("ask_short", { n: asked.chars });
      at("ask-text").focus();
      return;
    }
    if (asked.verb === "note") emolab.send("note", "note", text);
    else emolab.send(asked.verb, text, asked.arg);
    at("ask").close();
  }

  document.addEventListener("submit", (event) => { if (at("ask").contains(event.target)) answer(event); });
  document.addEventListener("click", (event) => { if (event.target.id === "ask-cancel") at("ask").close(); });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog");
    if (typing || at("ask")?.open || event.repeat || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Enter") {
      const primary = document.querySelector("button.primary:not(:disabled)");
      if (primary && document.activeElement === document.body) emolab.press(primary); // else Enter is for what has the focus
      return;
    }
    // an input method (Telex) says Process instead of the letter
    const key = /^[a-z]$/i.test(event.key) ? event.key.toUpperCase() : event.code.replace(/^Key/, "");
    const buttons = [...document.querySelectorAll("button[data-command]:not(:disabled)")].filter((b) => b.offsetParent);
    const verb = Object.entries(emolab.newest.words?.keys ?? {}).find(([, k]) => k === key)?.[0];
    const button = buttons.find((b) => b.dataset.command === verb);
    if (!button) return;
    event.preventDefault();
    emolab.press(button);
  });
})();
