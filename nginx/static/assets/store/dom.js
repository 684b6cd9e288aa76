// Builds elements. Children that are text become text nodes: nothing that the API says is ever read
// as HTML.

/**
 * Return an element. An attribute that is null, undefined or false is left out, true is set without
 * a value, and a function under `onclick` becomes a listener for `click`.
 */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      node.addEventListener(key.slice(2), value);
    } else if (value === true) {
      node.setAttribute(key, "");
    } else if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(key, value);
    }
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** Return the heading of a page: it takes the focus when the page is shown. */
export function pageHeading(text) {
  return element("h1", { tabindex: "-1" }, text);
}

/** Return text that only screen readers tell. */
export function spoken(text) {
  return element("span", { class: "spoken" }, text);
}

/** Show a button as not to be pressed, and leave it the focus that it may have. */
export function setBusy(button, busy) {
  button.setAttribute("aria-disabled", String(busy));
}

export function isBusy(button) {
  return button.getAttribute("aria-disabled") === "true";
}
