// Photos come from addresses that anybody may have posted. The page's Content-Security-Policy
// allows pictures over https and as data; whatever else, or fails to load, gets a placeholder.

import { element } from "./dom.js";

const PROTOCOLS = new Set(["https:", "data:"]);

/** Return a photo in a box of its own size; `alt` is empty where the text beside it says it all. */
export function photo(address, alt) {
  const box = element("span", { class: "photo" });
  if (!isShown(address)) {
    box.append(placeholder(alt));
    return box;
  }
  const image = element("img", {
    alt,
    loading: "lazy",
    decoding: "async",
    referrerpolicy: "no-referrer",
    onerror: () => image.replaceWith(placeholder(alt)),
  });
  image.src = address;
  box.append(image);
  return box;
}

/** Return whether an address is one that can be shown at all. */
export function isShown(address) {
  return URL.canParse(address ?? "") && PROTOCOLS.has(new URL(address).protocol);
}

function placeholder(alt) {
  const told = alt ? { role: "img", "aria-label": `${alt} (no photo)` } : { "aria-hidden": "true" };
  return element("span", { class: "no-photo", ...told }, element("span", {}, "No photo"));
}
