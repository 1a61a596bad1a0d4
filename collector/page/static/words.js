// Texts in the session's language, and what the page says when its server is gone.
"use strict";
emolab.on("words", ({ language, texts }) => {
  emolab.words = texts;
  document.documentElement.lang = language;
  const put = (id, key) => (document.getElementById(id).textContent = emolab.say(key));
  put("ask-ok", "ask_ok");
  put("ask-cancel", "ask_cancel");
  document.getElementById("buttons").setAttribute("aria-label", emolab.say("buttons"));
  const [what, how] = document.querySelectorAll("#gone strong, #gone span");
  what.textContent = emolab.say("gone");
  how.textContent = emolab.say("gone_what");
});

emolab.GONE_MS = 3000; // updates come every 100 ms
setInterval(() => {
  const last = emolab.log.at(-1);
  const gone = document.getElementById("gone");
  if (last && gone) gone.hidden = performance.now() - last.t < emolab.GONE_MS;
}, 500);
