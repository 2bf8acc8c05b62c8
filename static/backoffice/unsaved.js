// Asks before a page is left on which something was typed and not saved, by a link or by the button of another form
// (those of the tab WEB beside the card). Without this file nothing is asked.
"use strict";

// Choices that are no text of anybody: the ticks of a list, what a button beside them is about, and what an address keeps.
const PASSING = "#changelist-form, #coches, #web-actions, [role='search'], [data-passing]";
const touched = new Set();
let leaving = null;

const differs = (field) => {
  if (field.type === "checkbox" || field.type === "radio") {
    return field.checked !== field.defaultChecked;
  }
  if (field instanceof HTMLSelectElement) {
    const options = [...field.options];
    if (options.some((option) => option.defaultSelected)) {
      return options.some((option) => option.selected !== option.defaultSelected);
    }
    // Where the page chose none, the browser shows the first one; a choice that is looked up adds the first itself.
    return field.matches(".admin-autocomplete") ? field.value !== "" : field.selectedIndex > 0;
  }
  return "defaultValue" in field && field.type !== "hidden" && field.value !== field.defaultValue;
};

const touch = (event) => {
  const form = event.target.form ?? event.target.closest?.("form");
  if (event.isTrusted && form && form.method === "post" && form.closest("#content") && !form.matches(PASSING)) {
    touched.add(form);
  }
};

// A press comes before whatever a script does to a field at the click: a placeholder that is inserted, a choice in a list.
for (const kind of ["input", "change", "pointerdown", "keydown"]) {
  document.addEventListener(kind, touch, true);
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
