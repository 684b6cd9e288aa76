// The caller's cart: one count per sku, as the API keeps it for the session cookie.

import { fetchCart, postCart } from "./api.js";
import { recall, remember } from "./memory.js";

// The API knows skus only by number; what they are called is remembered by this browser.
const NAMES = "skus";
let counts = new Map();
let last = Promise.resolve();

/** Read the cart. The session begins with the first call, so calls go one after the other. */
export function loadBasket() {
  return queued(async () => take(await fetchCart()));
}

/** Put one piece of a sku into the cart; `what` is what the cart's page shows of it. */
export function addToBasket(skuId, what) {
  return queued(async () => {
    await postCart(skuId);
    remember(NAMES, { ...recall(NAMES, {}), [skuId]: what });
    take(await fetchCart());
  });
}

export function countOf(skuId) {
  return counts.get(skuId) ?? 0;
}

/** Return [{skuId, count, what}]; `what` is undefined for a sku that another browser put in. */
export function basketLines() {
  const names = recall(NAMES, {});
  return [...counts].map(([skuId, count]) => ({ skuId, count, what: names[skuId] }));
}

function take(rows) {
  counts = new Map(rows.map((row) => [row.sku_id, row.count]));
  const pieces = [...counts.values()].reduce((sum, count) => sum + count, 0);
  document.getElementById("cart-link").textContent = pieces ? `Cart (${pieces})` : "Cart";
}

function queued(work) {
  const mine = last.then(work);
  last = mine.catch(() => {});
  return mine;
}
