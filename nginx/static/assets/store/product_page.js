// The page of one product. Its parts are read side by side and stand or fail by themselves.

import { ApiError, fetchProduct, fetchRelated, fetchStyles } from "./api.js";
import { card } from "./cards.js";
import { element, pageHeading } from "./dom.js";
import { fill } from "./messages.js";
import { photo } from "./photos.js";
import { questionsSection } from "./questions.js";
import { reviewsSection } from "./reviews.js";
import { styleChoice } from "./style_choice.js";
import { price } from "./words.js";

const MOST_RELATED = 8;

export async function productPage(parameters, signal) {
  const id = parameters.get("product");
  if (!/^\d{1,16}$/.test(id)) {
    throw new ApiError("There is no such product.", 404);
  }
  const product = await fetchProduct(id, signal);
  const title = product.name ?? `Product ${product.id}`;
  const rating = element("p", { class: "rating" });
  const gallery = element("div", {});
  const panel = element("div", { class: "panel" });
  fill(panel, signal, () => stylesOf(product, gallery, signal));
  const head = element(
    "div",
    { class: "product" },
    gallery,
    element(
      "div",
      {},
      element("p", { class: "category" }, product.category ?? ""),
      pageHeading(title),
      rating,
      panel,
    ),
  );
  const sections = [
    relatedSection(product.id, signal),
    reviewsSection(product.id, rating, signal),
    questionsSection(product.id, signal),
  ];
  return { title, nodes: [head, aboutProduct(product), ...sections] };
}

async function stylesOf(product, gallery, signal) {
  const styles = await fetchStyles(product.id, signal);
  if (styles.length === 0) {
    gallery.replaceChildren(element("div", { class: "large" }, photo(null, product.name ?? "")));
    const cost = element("p", { class: "price" }, price(product.default_price));
    return [cost, element("p", { class: "soft" }, "This product cannot be ordered at the moment.")];
  }
  const parts = styleChoice(product, styles);
  gallery.replaceChildren(parts.gallery);
  return parts.panel;
}

function aboutProduct(product) {
  const features = product.features.map(({ feature, value }) => {
    const words = [feature, value].filter((word) => word !== null).join(": ");
    return element("li", {}, words);
  });
  return element(
    "section",
    { class: "about", "aria-label": "About this product" },
    product.slogan ? element("h2", {}, product.slogan) : null,
    element("p", { class: "text" }, product.description ?? ""),
    features.length ? element("ul", { class: "features" }, features) : null,
  );
}

/** Return the section of related products; it is hidden when there are none. */
function relatedSection(productId, signal) {
  const list = element("div", {});
  const section = element(
    "section",
    { "aria-labelledby": "related-title" },
    element("h2", { id: "related-title" }, "Related products"),
    list,
  );
  fill(list, signal, async () => {
    const ids = [...new Set(await fetchRelated(productId, signal))].filter((id) => id !== productId);
    const answers = await Promise.allSettled(
      ids.slice(0, MOST_RELATED).map((id) => fetchProduct(id, signal)),
    );
    // A related product may be gone by now.
    const products = answers.filter((answer) => answer.status === "fulfilled");
    section.hidden = products.length === 0;
    return [element("ul", { class: "cards row" }, products.map(({ value }) => card(value, signal)))];
  });
  return section;
}
