// The export screens, made livelier: the count follows the choices, ticks are kept at once, progress is said aloud,
// texts are copied by a button, a form leaves once. Every action works without this file too.
"use strict";

document.documentElement.classList.add("has-script");
document.querySelector("[data-focus]")?.focus();

// ── What takes longer than its page: asked for beside it ───────────────────────────────────────────────────────────
document.querySelectorAll("[data-fetch]").forEach(async (place) => {
  const answer = await fetch(place.dataset.fetch, { credentials: "same-origin" }).catch(() => null);
  if (answer?.ok) {
    place.innerHTML = await answer.text();
  }
});

// ── Sélection: the count beside the choices ────────────────────────────────────────────────────────────────────────
const choices = document.getElementById("choix");
if (choices) {
  const figure = document.getElementById("compte");
  const scriptTab = document.getElementById("onglet-script");
  const notChoices = new Set(["csrfmiddlewaretoken", "name", "action", "vu"]);
  let pending;
  let request;

  const query = () => {
    const kept = [...new FormData(choices)].filter(([name, value]) => !notChoices.has(name) && value !== "");
    return new URLSearchParams(kept).toString();
  };

  const count = async () => {
    request?.abort();
    request = new AbortController();
    const asked = query();
    figure.dataset.waiting = "";
    try {
      const answer = await fetch(`${choices.dataset.count}?${asked}`, {
        signal: request.signal,
        credentials: "same-origin",
      });
      if (answer.ok) {
        figure.innerHTML = await answer.text();
        delete figure.dataset.waiting;
        scriptTab.search = asked;
        // Leaving and coming back finds the choices again.
        history.replaceState(history.state, "", `?${asked}`);
      }
    } catch (problem) {
      if (problem.name !== "AbortError") {
        delete figure.dataset.waiting;
      }
    }
  };

  if ("later" in figure.dataset) {
    count();
  }

  choices.addEventListener("input", (event) => {
    if (event.target.name === "name") {
      return;
    }
    if (event.target.closest("[data-dates]") && event.target.value) {
      choices.querySelector("[name=period][value=fixed]").checked = true;
    }
    if (event.target.name === "period" && event.target.value !== "fixed") {
      choices.querySelectorAll("[data-dates] input").forEach((field) => {
        field.value = "";
      });
    }
    if (event.target.dataset.needs && event.target.checked) {
      choices.querySelector(`[name=${event.target.dataset.needs}]`).checked = true;
    }
    if (event.target.type === "checkbox" && !event.target.checked) {
      choices.querySelectorAll(`[data-needs="${event.target.name}"]`).forEach((box) => {
        box.checked = false;
      });
    }
    clearTimeout(pending);
    pending = setTimeout(count, 250);
  });
}

// ── Export: a tick is kept as soon as it changes ───────────────────────────────────────────────────────────────────
const ticks = document.getElementById("coches");
const lines = document.getElementById("lignes");
if (ticks) {
  let queue = Promise.resolve();
  const waiting = new Set();
  const keep = async (changed) => {
    const body = new FormData();
    body.set("csrfmiddlewaretoken", ticks.elements.csrfmiddlewaretoken.value);
    body.set("shown", changed.value);
    if (changed.checked) {
      body.set("ticked", changed.value);
    }
    waiting.delete(changed);
    const answer = await fetch(ticks.action, {
      method: "POST",
      headers: { "X-Requested-With": "XMLHttpRequest" },
      body,
      credentials: "same-origin",
    });
    if (!answer.ok) {
      location.reload();
      return;
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    // The figures, and the words of each line; the boxes stay, with the focus, as another tab may have left them.
    ["resume", "filtres", "toutes"].forEach((id) => {
      const now = document.getElementById(id);
      const then = fresh.getElementById(id);
      if (now && then) {
        now.replaceWith(then);
      } else if (now) {
        location.reload();
      }
    });
    document.querySelectorAll("tr.line").forEach((line) => {
      const then = fresh.getElementById(line.id);
      if (then) {
        line.className = then.className;
        const state = line.querySelector(".line__state .state");
        const word = then.querySelector(".line__state .state");
        if (state && word) {
          state.replaceWith(word);
        }
        const own = line.querySelector("[name=ticked]");
        const theirs = then.querySelector("[name=ticked]");
        if (own && theirs && !waiting.has(own)) {
          own.checked = theirs.checked;
        }
        return;
      }
      // What the filter does not show any more stays until the page is left, in the state that its box says.
      const box = line.querySelector("[name=ticked]");
      const badge = line.querySelector(".line__state .state");
      if (box && badge) {
        const now = box.checked ? "ready" : "excluded";
        line.className = `line line--${now}`;
        badge.className = `state state--${now}`;
        badge.textContent = lines.dataset[now];
      }
    });
  };
  document.addEventListener("change", (event) => {
    if (event.target.name === "ticked") {
      const box = event.target;
      waiting.add(box);
      queue = queue.then(() => keep(box), () => keep(box));
    }
  });
}

// ── A run: said aloud every tenth, not every second ────────────────────────────────────────────────────────────────
const voice = document.getElementById("annonce");
if (voice) {
  let told = -1;
  const say = () => {
    const bar = document.querySelector("#avancement progress");
    const tenth = bar ? Math.floor((bar.value / bar.max) * 10) : told;
    if (tenth !== told) {
      told = tenth;
      voice.textContent = document.querySelector("#avancement .run__figure")?.textContent.replace(/\s+/g, " ") ?? "";
    }
  };
  new MutationObserver(say).observe(voice.parentElement, { childList: true });
  say();
}

// ── A form that does something leaves once ─────────────────────────────────────────────────────────────────────────
document.querySelectorAll("form[data-once]").forEach((form) => {
  form.addEventListener("submit", (event) => {
    if (form.dataset.left) {
      event.preventDefault();
    }
    form.dataset.left = "yes";
  });
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-left]").forEach((form) => delete form.dataset.left);
});

// ── Script: a button beside each text to copy ──────────────────────────────────────────────────────────────────────
document.querySelectorAll("pre.script").forEach((text) => {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button--quiet button--small";
  button.textContent = "Copier";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      getSelection().selectAllChildren(text);
      return;
    }
    button.textContent = "Copié";
    setTimeout(() => {
      button.textContent = "Copier";
    }, 2000);
  });
  text.closest("dd").previousElementSibling.append(button);
});
