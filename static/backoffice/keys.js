// Shortcuts of the back-office: «/» goes to the search, «e» to the export screen, «?» shows them. None counts while
// somebody writes, and all of them can be turned off in the help. Every place is reached without this file too.
"use strict";

const help = document.getElementById("raccourcis");
const KEPT = "raccourcis";
const isOff = () => localStorage.getItem(KEPT) === "non";

const isWriting = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

// The page's own search; where it has none, that of the menus.
const search = () => {
  const fields = [...document.querySelectorAll("#content input[type=search]"), document.getElementById("nav-filter")];
  return fields.find((field) => field && field.offsetParent !== null);
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isOff() || isWriting(event.target)) {
    return;
  }
  if (help.open || document.querySelector("dialog[open]")) {
    return;
  }
  const field = search();
  if (event.key === "/" && field) {
    event.preventDefault();
    field.focus();
    field.select();
  } else if (event.key === "e" && help.dataset.export) {
    location.assign(help.dataset.export);
  } else if (event.key === "?") {
    event.preventDefault();
    help.showModal();
  }
});

const opener = document.getElementById("raccourcis-ouvrir");
opener.hidden = false;
opener.addEventListener("click", () => help.showModal());

const box = document.getElementById("raccourcis-actifs");
box.checked = !isOff();
box.addEventListener("change", () => localStorage.setItem(KEPT, box.checked ? "oui" : "non"));
