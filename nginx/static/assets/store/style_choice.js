// The styles of a product: choose one, see its photos and price, choose a size, put it into the cart.

import { addToBasket, countOf } from "./basket.js";
import { element, spoken } from "./dom.js";
import { choice, form } from "./forms.js";
import { say } from "./messages.js";
import { photo } from "./photos.js";
import { plural, price } from "./words.js";

/** Return the style that is shown first; undefined for a product without styles. */
export function firstStyle(styles) {
  return styles.find((style) => style["default?"]) ?? styles[0];
}

/** Return the nodes of a price, both prices for one that is reduced. */
export function priceOf(style) {
  if (style.sale_price === null) {
    return [element("span", {}, price(style.original_price))];
  }
  return [
    element("strong", { class: "sale" }, spoken("Reduced to "), price(style.sale_price)),
    " ",
    element("s", {}, spoken("from "), price(style.original_price)),
  ];
}

/** Return {gallery, panel} for a product with at least one style. */
export function styleChoice(product, styles) {
  const gallery = element("div", { class: "gallery" });
  const cost = element("p", { class: "price" });
  const order = element("div", {});
  const chosen = firstStyle(styles);

  function show(style) {
    gallery.replaceChildren(...galleryOf(product, style));
    cost.replaceChildren(...priceOf(style));
    order.replaceChildren(orderForm(product, style));
  }

  const options = styles.map((style) => ({
    value: style.style_id,
    label: [photo(style.photos[0]?.thumbnail_url, ""), style.name ?? "Unnamed"],
    checked: style === chosen,
  }));
  const pick = (id) => show(styles.find((style) => style.style_id === id));
  show(chosen);
  return { gallery, panel: [cost, choice("Style", "style", options, { kind: "swatches", onchoose: pick }), order] };
}

function galleryOf(product, style) {
  const name = `${product.name ?? "Product"}, ${style.name ?? "unnamed style"}`;
  const large = element("div", { class: "large" }, photo(style.photos[0]?.url, name));
  if (style.photos.length < 2) {
    return [large];
  }
  const thumbs = style.photos.map((row, index) => {
    const alt = `Photo ${index + 1} of ${style.photos.length}`;
    const attributes = { type: "button", class: "thumb", "aria-pressed": String(index === 0) };
    const button = element("button", attributes, photo(row.thumbnail_url, alt));
    button.addEventListener("click", () => {
      large.replaceChildren(photo(row.url, `${name}, photo ${index + 1}`));
      thumbs.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
    });
    return button;
  });
  return [large, element("div", { class: "thumbs", role: "group", "aria-label": "Photos" }, thumbs)];
}

/** Return the form with the sizes of a style, or a word that there are none. */
function orderForm(product, style) {
  const skus = Object.entries(style.skus)
    .filter(([, sku]) => sku.quantity !== null)
    .map(([id, sku]) => ({ id: Number(id), ...sku }));
  if (skus.length === 0) {
    return element("p", { class: "soft" }, "This style cannot be ordered at the moment.");
  }
  const sizes = element("div", {});
  const showSizes = (chosenId) => sizes.replaceChildren(sizeChoice(skus, chosenId));
  showSizes(null);
  return form("Order", [sizes], "Add to cart", async (entered) => {
    const sku = skus.find((one) => one.id === Number(entered.sku));
    await addToBasket(sku.id, {
      productId: product.id,
      name: product.name,
      style: style.name,
      size: sku.size,
      price: style.sale_price ?? style.original_price,
    });
    showSizes(sku.id);
    const pieces = plural(countOf(sku.id), "piece", "pieces");
    say(`In your cart: ${pieces} of ${product.name ?? "this product"}, ${sizeName(sku)}.`);
  });
}

function sizeChoice(skus, chosenId) {
  const options = skus.map((sku) => {
    const left = Math.max(0, sku.quantity - countOf(sku.id));
    return {
      value: sku.id,
      label: [sizeName(sku), element("small", {}, left ? `${left} left` : "sold out")],
      disabled: left === 0,
      checked: left > 0 && sku.id === chosenId,
    };
  });
  return choice("Size", "sku", options, { kind: "sizes" });
}

function sizeName(sku) {
  return sku.size ?? "one size";
}
