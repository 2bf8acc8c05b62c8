// axe-core's contrast measured once of texts that look the same: pages of one site share most of theirs.
// A look is all that the measure depends on. Only what axe measured and found legible is passed over later.

const mark = "data-look";
const writing = ["color", "fontSize", "fontWeight", "textShadow"];
const surface = ["backgroundColor", "backgroundImage", "backgroundClip", "opacity", "filter", "mixBlendMode"];
const nothing = "rgba(0, 0, 0, 0),none,border-box,1,none,normal";

axe.configure({ rules: [{ id: "color-contrast", selector: `[${mark}="new"]` }] });
// Results before axe writes its report, which describes each of the elements in which nothing hinders.
axe.addReporter("looks", (results, _options, done) => done(results));

const read = (style, names) => names.map((name) => style[name]).join(",");

function readLooks() {
  const behind = new Map();
  const looks = new Map();
  // In document order: what is behind an element is known before what is inside of it.
  for (const element of document.querySelectorAll("*")) {
    const style = getComputedStyle(element);
    const own = read(style, surface);
    const above = behind.get(element.parentElement) ?? "";
    behind.set(element, own === nothing ? above : `${above}|${own}`);
    // What lies over or under the text without containing it.
    const box = element.getClientRects()[0];
    const others = (box ? document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2) : [])
      .filter((other) => !other.contains(element) && !element.contains(other))
      .map((other) => read(getComputedStyle(other), surface));
    looks.set(element, [element.localName, read(style, writing), behind.get(element), ...others].join(";"));
  }
  return looks;
}

window.judge = async (runOnly, legible) => {
  const known = new Set(legible);
  const looks = readLooks();
  for (const [element, look] of looks) if (!known.has(look)) element.setAttribute(mark, "new");
  const results = await axe.run(document, { runOnly, reporter: "looks", elementRef: true });
  for (const element of looks.keys()) element.removeAttribute(mark);
  const words = ({ any, all, none }) => [...any, ...all, ...none].map(({ message }) => message).join("; ");
  const contrast = results.find(({ id }) => id === "color-contrast");
  return {
    violations: results.flatMap(({ id, violations }) =>
      violations.map((found) => `${id}: ${found.node.source.slice(0, 160)} (${words(found)})`),
    ),
    // Texts out of sight pass without having been measured.
    legible: contrast.passes
      .filter(({ any }) => any.some(({ data }) => data?.contrastRatio))
      .map(({ node }) => looks.get(node.element)),
  };
};

// An expression that is a function would be called.
null;
