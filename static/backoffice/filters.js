// The filters of a list: a click beside the open one, or Escape, closes it.
"use strict";

document.addEventListener("click", (event) => {
  const kept = event.target instanceof Element ? event.target.closest("details.filter") : null;
  document.querySelectorAll("details.filter[open]").forEach((filter) => {
    if (filter !== kept) {
      filter.open = false;
    }
  });
});

document.addEventListener("keydown", (event) => {
  const open = document.querySelector("details.filter[open]");
  if (event.key === "Escape" && open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});
