// A choice that is looked up is drawn by select2, which names its box after what is chosen: it gets the name of its field.
"use strict";

const name = (field) => {
  const label = document.querySelector(`label[for="${CSS.escape(field.id)}"]`);
  const words = field.getAttribute("aria-label") || (label ? label.textContent.trim().replace(/\s*:$/, "") : "");
  const box = field.parentElement.querySelector(".select2-selection");
  if (!words || !box) {
    return;
  }
  box.removeAttribute("aria-labelledby");
  for (const part of [box, box.querySelector("[role='textbox']")]) {
    part?.setAttribute("aria-label", words);
  }
};

const nameAll = () => document.querySelectorAll("select.admin-autocomplete").forEach(name);

// After the one of Django's that draws them, which was asked for before.
window.django?.jQuery?.(nameAll);
document.addEventListener("formset:added", () => setTimeout(nameAll));
