// Products in short: a card with a photo, a name and a price, in lists and among related ones.

import { fetchStyles } from "./api.js";
import { element } from "./dom.js";
import { photo } from "./photos.js";
import { firstStyle, priceOf } from "./style_choice.js";
import { price } from "./words.js";

export function productAddress(id) {
  return `/?product=${id}`;
}

/**
 * Return an item with a card. Photo and reduced price stand in another answer, which is asked for
 * only when the card comes into sight; without it the card shows what it has.
 */
export function card(product, signal) {
  const picture = element("div", { class: "picture" }, element("span", { class: "photo" }));
  const cost = element("p", { class: "price" }, price(product.default_price));
  whenSeen(picture, signal, async () => {
    // A photo is not worth a message: the card stands without it.
    const styles = await fetchStyles(product.id, signal).catch(() => []);
    const style = firstStyle(styles);
    picture.replaceChildren(photo(style?.photos[0]?.thumbnail_url, ""));
    if (style) {
      cost.replaceChildren(...priceOf(style));
    }
  });
  return element(
    "li",
    { class: "card" },
    picture,
    element("p", { class: "category" }, product.category ?? ""),
    element("h3", {}, element("a", { href: productAddress(product.id) }, product.name ?? "Unnamed")),
    element("p", { class: "soft" }, product.slogan ?? ""),
    cost,
  );
}

function whenSeen(node, signal, work) {
  const observer = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) {
      observer.disconnect();
      work();
    }
  });
  observer.observe(node);
  signal.addEventListener("abort", () => observer.disconnect());
}
