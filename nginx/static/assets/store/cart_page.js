// The page of the cart.

import { basketLines, loadBasket } from "./basket.js";
import { productAddress } from "./cards.js";
import { element, pageHeading } from "./dom.js";
import { plural, price } from "./words.js";

export async function cartPage() {
  await loadBasket();
  const lines = basketLines();
  const nodes = lines.length ? [lineList(lines), total(lines)] : [emptyCart()];
  return { title: "Cart", nodes: [pageHeading("Cart"), ...nodes] };
}

function emptyCart() {
  return element("p", {}, "Your cart is empty. ", element("a", { href: "/" }, "See all products"));
}

function lineList(lines) {
  return element("ul", { class: "rows cart" }, lines.map(line));
}

function line({ skuId, count, what }) {
  const pieces = element("span", { class: "pieces" }, plural(count, "piece", "pieces"));
  if (!what) {
    return element("li", {}, element("span", {}, `Article ${skuId}`), pieces);
  }
  const details = [what.style, what.size && `size ${what.size}`].filter(Boolean).join(", ");
  return element(
    "li",
    {},
    element(
      "span",
      {},
      element("a", { href: productAddress(what.productId) }, what.name ?? "Unnamed"),
      element("span", { class: "soft" }, ` ${details}`),
    ),
    pieces,
    element("span", { class: "price" }, price((Number(what.price) * count).toFixed(2))),
  );
}

/** Return the sum of what has a price here; the API keeps no prices with a cart. */
function total(lines) {
  const sum = lines.reduce((cost, { count, what }) => cost + (what ? Number(what.price) * count : 0), 0);
  const complete = lines.every(({ what }) => what);
  const words = `Together ${price(sum.toFixed(2))}${complete ? "" : ", without articles whose price is not known here"}.`;
  return element("p", { class: "total" }, words);
}
