"use strict";
emolab.on("frame", p => {
  for (const section of document.querySelectorAll("[data-screen]")) section.hidden = section.dataset.screen !== p.screen;
});
