// The settings of the company: a chosen logo is shown on its ground, and the pictures of an invoice follow what is typed in any tab, before it is saved.
// Without this file they show what is saved, and a button opens the PDF of what is typed.
"use strict";

const look = document.querySelector("[data-preview]");

for (const ground of document.querySelectorAll("[data-logo-ground]")) {
  const picture = ground.querySelector("img");
  const stored = picture.getAttribute("src");
  const input = document.querySelector(`input[type=file][name="${ground.dataset.logoGround}"]`);
  const show = (address) => {
    ground.hidden = !address;
    if (address) {
      picture.src = address;
    }
  };
  input?.addEventListener("change", () => {
    const chosen = input.files[0];
    if (!chosen) {
      show(stored);
      return;
    }
    const reader = new FileReader();
    reader.addEventListener("load", () => show(String(reader.result)));
    reader.readAsDataURL(chosen);
  });
}

if (look) {
  const form = look.closest("form");
  const panel = look.closest(".panel");
  const page = look.querySelector("img");
  const caption = look.querySelector("figcaption");
  const problems = look.querySelector(".look__problems");
  const number = document.getElementById("id_preview_invoice");
  const chosen = () => form.querySelector("[name=pdf_template]:checked")?.value;
  let isStale = false;
  let timer;
  let request;

  const showChosen = () => {
    const small = form.querySelector(`[data-preview-of="${chosen()}"]`);
    if (small) {
      page.src = small.src;
    }
  };

  const tell = (sentences) => {
    const list = document.createElement("ul");
    list.className = "errorlist";
    for (const sentence of sentences) {
      const item = document.createElement("li");
      item.textContent = sentence;
      list.append(item);
    }
    problems.replaceChildren(...(sentences.length ? [list] : []));
  };

  const refresh = async () => {
    isStale = false;
    request?.abort();
    const mine = new AbortController();
    request = mine;
    look.dataset.waiting = "";
    const typed = new FormData(form);
    typed.set("preview", "pictures");
    try {
      const answer = await fetch(look.dataset.preview, {
        method: "POST",
        body: typed,
        signal: mine.signal,
        credentials: "same-origin",
      });
      if (answer.ok) {
        const drawn = await answer.json();
        for (const [name, picture] of Object.entries(drawn.pictures)) {
          form.querySelector(`[data-preview-of="${name}"]`).src = picture;
        }
        caption.textContent = drawn.caption;
        showChosen();
        tell([]);
      } else if (answer.status === 422) {
        tell((await answer.json()).problems);
      } else {
        tell(["L’aperçu n’a pas pu être fait. Vos réglages restent saisis : réessayez dans un instant."]);
      }
    } catch (problem) {
      if (problem.name === "AbortError") {
        return;
      }
      tell(["L’aperçu n’a pas pu être fait : le portail ne répond pas. Vos réglages restent saisis."]);
    }
    if (request === mine) {
      delete look.dataset.waiting;
    }
  };

  // What is typed in another tab is drawn once this one is looked at.
  const refreshSoon = () => {
    clearTimeout(timer);
    isStale = true;
    if (!panel.hidden) {
      timer = setTimeout(refresh, 500);
    }
  };

  form.addEventListener("input", (event) => {
    if (event.target.name === "pdf_template") {
      showChosen(); // All three are drawn already.
    } else {
      refreshSoon();
    }
  });
  document.addEventListener("tabs:shown", () => {
    if (isStale) {
      refreshSoon();
    }
  });
  number?.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault(); // It asks for another invoice, not to save.
      clearTimeout(timer);
      refresh();
    }
  });
  // A form that comes back with errors, or with what the browser kept of it, is not what is saved.
  const isKept = (field) => field.matches("input[type=text], textarea") && field.value !== field.defaultValue;
  if ([...form.elements].some(isKept) || form.querySelector(".errorlist")) {
    refreshSoon();
  } else if (chosen()) {
    showChosen();
  }
}
