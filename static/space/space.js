// Everything works without this file: it shows a password on demand and leads to the summary of errors.
"use strict";

document.querySelectorAll("input[type=password]").forEach((field) => {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "reveal";
  button.setAttribute("aria-controls", field.id);
  const say = (shown) => {
    button.textContent = shown ? "Masquer" : "Afficher";
    button.setAttribute("aria-label", shown ? "Masquer le mot de passe" : "Afficher le mot de passe");
  };
  say(false);
  button.addEventListener("click", () => {
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    say(shown);
  });
  // A password that is shown is not left in the browser's memory of typed text.
  field.form?.addEventListener("submit", () => {
    field.type = "password";
  });
  const holder = document.createElement("span");
  holder.className = "revealable";
  field.replaceWith(holder);
  holder.append(field, button);
});

document.querySelector("[data-focus]")?.focus();
