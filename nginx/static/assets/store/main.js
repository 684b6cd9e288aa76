// Shows the page that the address names: /?product=12, /?page=3, /?cart. nginx serves the same file
// for all of them, so every address can be opened, kept and sent on.

import { loadBasket } from "./basket.js";
import { cartPage } from "./cart_page.js";
import { pageHeading } from "./dom.js";
import { failure } from "./messages.js";
import { listPage } from "./list_page.js";
import { productPage } from "./product_page.js";

const place = document.getElementById("main");
let leaving = new AbortController();
let shownSearch;

function pageFor(parameters) {
  if (parameters.has("cart")) {
    return cartPage;
  }
  return parameters.has("product") ? productPage : listPage;
}

/** Show the page of the present address; `byPerson` moves the focus to its heading. */
async function show(byPerson) {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  shownSearch = location.search;
  const parameters = new URLSearchParams(shownSearch);
  place.setAttribute("aria-busy", "true");
  try {
    const { title, nodes } = await pageFor(parameters)(parameters, signal);
    if (signal.aborted) {
      return;
    }
    document.title = `${title} · Catalog`;
    place.replaceChildren(...nodes);
    markCurrent();
  } catch (error) {
    if (signal.aborted) {
      return;
    }
    const title = error.status === 404 ? "Not found" : "Sorry";
    document.title = `${title} · Catalog`;
    place.replaceChildren(pageHeading(title), failure(error, () => show(true)));
  }
  place.removeAttribute("aria-busy");
  if (byPerson) {
    (place.querySelector("h1") ?? place).focus();
  }
}

/** Tell which link of the head leads to the page that is shown. */
function markCurrent() {
  for (const link of document.querySelectorAll(".top nav a")) {
    link.removeAttribute("aria-current");
    if (new URL(link.href).search === shownSearch) {
      link.setAttribute("aria-current", "page");
    }
  }
}

/** Follow links between our own pages without loading everything anew. */
function follow(event) {
  const link = event.target.closest("a[href]");
  const asIs = event.defaultPrevented || event.button !== 0;
  if (asIs || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || !link) {
    return;
  }
  const address = new URL(link.href);
  const samePage = address.search === location.search && address.hash;
  if (address.origin !== location.origin || address.pathname !== "/" || samePage) {
    return;
  }
  event.preventDefault();
  history.pushState(null, "", address);
  scrollTo(0, 0);
  show(true);
}

document.addEventListener("click", follow);
addEventListener("popstate", () => {
  // Going to a part of the same page is the browser's own work.
  if (location.search !== shownSearch) {
    show(true);
  }
});
// Without the count the shop still works; the cart's own page says what is wrong.
loadBasket().catch(() => {});
show(false);
