// Everything works without this file.
"use strict";

document.querySelectorAll("input[type=password]").forEach((field) => {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "reveal";
  button.setAttribute("aria-controls", field.id);
  const say = (shown) => {
    const words = document.body.dataset;
    button.textContent = shown ? words.hide : words.show;
    button.setAttribute("aria-label", shown ? words.hidePassword : words.showPassword);
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

// A link that has served leaves neither the address bar nor the history with its token.
document.querySelectorAll("[data-address]").forEach((holder) => {
  history.replaceState(null, "", holder.dataset.address);
});

// An IBAN goes to the bank's application without being typed.
document.querySelectorAll("[data-copy]").forEach((holder) => {
  const button = holder.querySelector("button");
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(holder.dataset.copy);
    button.textContent = holder.dataset.copied;
    button.setAttribute("aria-live", "polite");
  });
});

// The list: «Tout cocher», and how many are ticked with their sum, in a bar that stays in sight.
document.querySelectorAll("form[data-ticks]").forEach((form) => {
  const boxes = [...form.querySelectorAll("input[name=facture]")];
  const bar = form.querySelector(".ticked");
  const sum = bar.querySelector(".ticked__sum");
  const all = document.createElement("input");
  all.type = "checkbox";
  const label = document.createElement("label");
  label.className = "tick-all screen";
  label.append(all, form.dataset.ticks);
  if (boxes.length > 1) form.prepend(label);
  const show = () => {
    const ticked = boxes.filter((box) => box.checked);
    const totals = new Map();
    ticked.forEach(({ dataset }) => {
      // In cents: sums of fractions would not be exact.
      const cents = Math.round(Number(dataset.total) * 100);
      totals.set(dataset.currency, (totals.get(dataset.currency) ?? 0) + cents);
    });
    const amounts = [...totals].map(([currency, cents]) =>
      (cents / 100).toLocaleString(document.documentElement.lang, { style: "currency", currency }).replace("-", "−"),
    );
    const words = ticked.length === 1 ? sum.dataset.one : sum.dataset.many.replace("#", ticked.length);
    sum.hidden = ticked.length === 0;
    sum.textContent = `${words} · ${amounts.join(" · ")}`;
    bar.classList.toggle("ticked--some", ticked.length > 0);
    // What the keyboard reaches is not below the bar.
    const covers = getComputedStyle(bar).position === "sticky";
    document.documentElement.style.scrollPaddingBottom = covers ? `${bar.offsetHeight + 8}px` : "";
    all.checked = ticked.length === boxes.length;
    all.indeterminate = ticked.length > 0 && !all.checked;
  };
  all.addEventListener("change", () => {
    boxes.forEach((box) => {
      box.checked = all.checked;
    });
    show();
  });
  boxes.forEach((box) => box.addEventListener("change", show));
  show(); // a browser that goes back ticks again what was ticked
});

// The year and the month that are shown are in sight, in rows that a finger moves.
document.querySelectorAll(".years [aria-current], .chips [aria-current]").forEach((shown) => {
  const row = shown.closest("ul");
  row.scrollLeft = shown.offsetLeft - (row.clientWidth - shown.offsetWidth) / 2;
});

document.querySelector("[data-focus]")?.focus();
