// A region that tells of work under way is asked for again until the work has ended:
// <div id="…" data-refresh="milliseconds" data-refresh-url="address of a page that holds the same id">…</div>
// The page that comes back holds no data-refresh any more once there is nothing left to wait for.
"use strict";

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

const follow = async (region) => {
  let current = region;
  while (current && current.dataset.refresh) {
    await wait(Number(current.dataset.refresh));
    if (document.hidden) {
      continue;
    }
    let text;
    try {
      const answer = await fetch(current.dataset.refreshUrl || location.href, {
        headers: { "X-Requested-With": "XMLHttpRequest" },
        credentials: "same-origin",
      });
      if (!answer.ok) {
        continue;
      }
      text = await answer.text();
    } catch {
      continue; // The network came and went: ask again.
    }
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById(current.id);
    if (!fresh) {
      return;
    }
    if (fresh.dataset.leave) {
      location.assign(fresh.dataset.leave);
      return;
    }
    const focused = current.contains(document.activeElement) ? document.activeElement.id : "";
    current.replaceWith(fresh);
    if (focused) {
      document.getElementById(focused)?.focus();
    }
    current = fresh;
  }
};

document.querySelectorAll("[data-refresh]").forEach(follow);
