(language, words, place, live) => {
  // Called again with each language; a page is watched by the first call alone.
  document.documentElement.lang = language;
  const pattern = (text) =>
    new RegExp(`^${text.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")).join("(.+)")}$`);
  const rules = words.flatMap((names) => names.map((name) => [pattern(name), names[place]]));

  const translated = (text) => {
    const plain = text.replaceAll("**", "");
    for (const [from, to] of rules) {
      const found = from.exec(plain);
      if (found) return to.replace("*", () => found[1]);
    }
    return text;
  };
  const mendElement = (element) => {
    for (const name of ["aria-label", "placeholder", "title"]) {
      const old = element.getAttribute(name);
      if (old && translated(old) !== old) element.setAttribute(name, translated(old));
    }
    // The text of an icon is the name of its picture.
    if (element.dataset.testid === "stIconMaterial") element.ariaHidden = "true";
    if (live.some((key) => element.classList.contains(`st-key-${key}`))) element.ariaLive = "polite";
  };
  const STREAMLIT = "[data-testid=stFileUploader], [data-testid=stSkipToContent], [data-live-announcer]";
  const mendText = (text) => {
    const element = text.parentElement;
    if (!element?.closest(STREAMLIT)) return;
    if (translated(text.data) !== text.data) text.data = translated(text.data);
  };
  const mend = (node) => {
    if (node.nodeType === Node.TEXT_NODE) mendText(node);
    if (node.nodeType !== Node.ELEMENT_NODE || node.closest(".js-plotly-plot")) return;
    mendElement(node);
    node.childNodes.forEach(mend);
  };

  window.vaeadMend = mend;
  mend(document.body);
  window.vaeadWatch ??= new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "childList") change.addedNodes.forEach(window.vaeadMend);
      else window.vaeadMend(change.target);
    }
  });
  window.vaeadWatch.observe(document.body, {
    subtree: true,
    childList: true,
    characterData: true,
    attributeFilter: ["aria-label", "placeholder", "title"],
  });
}
