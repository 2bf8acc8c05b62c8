// Asks before a page is left on which something was typed and not saved, by a link or by the button of another form
// (those of the tab WEB beside the card). Without this file nothing is asked.
"use strict";

// Choices that are no text of anybody: the ticks of a list, and what a button beside them is about.
const PASSING = "#changelist-form, #coches, #web-actions, [role='search']";
const touched = new Set();
let leaving = null;

const differs = (field) => {
  if (field.type === "checkbox" || field.type === "radio") {
    return field.checked !== field.defaultChecked;
  }
  if (field instanceof HTMLSelectElement) {
    const options = [...field.options];
    // Where the page chose none, the browser shows the first one.
    return options.some((option) => option.defaultSelected)
      ? options.some((option) => option.selected !== option.defaultSelected)
      : field.selectedIndex > 0;
  }
  return "defaultValue" in field && field.type !== "hidden" && field.value !== field.defaultValue;
};

for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.form;
    if (event.isTrusted && form && form.method === "post" && form.closest("#content") && !form.matches(PASSING)) {
      touched.add(form);
    }
  });
}

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  // A preview in a frame or a window of its own leaves the page where it is.
  leaving = event.defaultPrevented || (button && button.formTarget) || event.target.target ? null : event.target;
});

window.addEventListener("beforeunload", (event) => {
  const lost = [...touched].some(
    (form) => form !== leaving && form.isConnected && [...form.elements].some(differs),
  );
  leaving = null;
  if (lost) {
    event.preventDefault();
  }
});
