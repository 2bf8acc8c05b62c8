// The editor of predefined messages: placeholders are inserted by a click, and the preview follows the typing.
// Without this file the placeholders are a list to read, and the preview has its button.
"use strict";

const subject = document.getElementById("id_subject");
const body = document.getElementById("id_body");

if (subject && body) {
  let last = body;
  for (const field of [subject, body]) {
    field.addEventListener("focus", () => {
      last = field;
    });
  }

  document.querySelectorAll("[data-placeholder]").forEach((code) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "placeholder";
    button.textContent = code.dataset.placeholder;
    button.addEventListener("click", () => {
      last.setRangeText(button.textContent, last.selectionStart, last.selectionEnd, "end");
      last.focus();
      last.dispatchEvent(new Event("input", { bubbles: true }));
    });
    code.replaceWith(button);
  });

  const preview = document.querySelector("[data-preview]");
  if (preview) {
    let timer;
    const refresh = () => {
      clearTimeout(timer);
      timer = setTimeout(() => preview.click(), 500);
    };
    for (const field of [subject, body, document.getElementById("id_preview_invoice")]) {
      field?.addEventListener("input", refresh);
    }
    // A return key in the number of the invoice looks at it; in the subject it saves, as in every form.
    document.getElementById("id_preview_invoice")?.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        clearTimeout(timer);
        preview.click();
      }
    });
  }
}
