// Real tabs out of plain anchors and sections. Without this file every panel stands below the other and the anchors
// lead to it. Arrow keys, Home and End move between the tabs (WAI-ARIA, tabs with automatic activation).
"use strict";

document.querySelectorAll("[data-tabs]").forEach((list) => {
  const anchors = [...list.querySelectorAll("a[href^='#']")];
  const panels = anchors.map((anchor) => document.getElementById(anchor.hash.slice(1)));
  if (!anchors.length || panels.some((panel) => panel === null)) {
    return;
  }
  list.setAttribute("role", "tablist");
  list.querySelectorAll("li").forEach((item) => item.setAttribute("role", "presentation"));

  const show = (chosen, { focus = false, remember = true } = {}) => {
    anchors.forEach((anchor, index) => {
      const isChosen = index === chosen;
      anchor.setAttribute("aria-selected", String(isChosen));
      anchor.tabIndex = isChosen ? 0 : -1;
      panels[index].hidden = !isChosen;
    });
    if (focus) {
      anchors[chosen].focus();
    }
    if (remember) {
      history.replaceState(history.state, "", anchors[chosen].hash);
      document.dispatchEvent(new CustomEvent("tabs:shown", { detail: panels[chosen].id }));
    }
  };

  anchors.forEach((anchor, index) => {
    anchor.setAttribute("role", "tab");
    anchor.id = anchor.id || `tab-${panels[index].id}`;
    anchor.setAttribute("aria-controls", panels[index].id);
    panels[index].setAttribute("role", "tabpanel");
    panels[index].setAttribute("aria-labelledby", anchor.id);
    anchor.addEventListener("click", (event) => {
      event.preventDefault();
      show(index);
    });
    anchor.addEventListener("keydown", (event) => {
      const last = anchors.length - 1;
      const target = {
        ArrowRight: index === last ? 0 : index + 1,
        ArrowLeft: index === 0 ? last : index - 1,
        Home: 0,
        End: last,
      }[event.key];
      if (target !== undefined) {
        event.preventDefault();
        show(target, { focus: true });
      }
    });
  });

  // A panel with an error is the one to see; then the one that the address names; then the first.
  const holding = (hash) =>
    panels.findIndex((panel) => hash && (`#${panel.id}` === hash || panel.querySelector(`#${CSS.escape(hash.slice(1))}`)));
  const wrong = panels.findIndex((panel) => panel.querySelector(".errorlist, .errors"));
  const named = holding(location.hash);
  show(wrong >= 0 ? wrong : Math.max(named, 0), { remember: false });
  window.addEventListener("hashchange", () => {
    const index = holding(location.hash);
    if (index >= 0) {
      show(index, { remember: false });
    }
  });
});
