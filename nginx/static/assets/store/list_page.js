// The page that lists products.

import { fetchProducts } from "./api.js";
import { card } from "./cards.js";
import { element, pageHeading } from "./dom.js";

const PAGE_PRODUCTS = 12;

export async function listPage(parameters, signal) {
  const page = pageNumber(parameters.get("page"));
  const products = await fetchProducts(page, PAGE_PRODUCTS, signal);
  const title = page === 1 ? "Products" : `Products, page ${page}`;
  const body = products.length
    ? element("ul", { class: "cards" }, products.map((product) => card(product, signal)))
    : element("p", {}, "There are no products on this page.");
  return { title, nodes: [pageHeading(title), body, pages(page, products.length === PAGE_PRODUCTS)] };
}

function pageNumber(text) {
  return /^[1-9]\d{0,14}$/.test(text ?? "") ? Number(text) : 1;
}

function pages(page, more) {
  const before = page > 1 ? element("a", { href: address(page - 1), rel: "prev" }, "← Page before") : null;
  const after = more ? element("a", { href: address(page + 1), rel: "next" }, "Next page →") : null;
  return element("nav", { class: "pages", "aria-label": "Pages" }, before, after);
}

function address(page) {
  return page === 1 ? "/" : `/?page=${page}`;
}
