// A list that grows by a button: reviews and questions.

import { element, isBusy, setBusy } from "./dom.js";
import { failure, say } from "./messages.js";

/**
 * Return {nodes, reload}. `fetchPage(page)` returns rows, fewer than `pageRows` on the last page;
 * `idOf(row)` tells rows apart, since votes may move one to a later page meanwhile; `itemOf(row)`
 * returns an item of the list. `reload` begins again at page 1.
 */
export function pagedList({ fetchPage, pageRows, idOf, itemOf, emptyText, moreText, signal }) {
  const list = element("ul", { class: "rows" });
  const below = element("div", {});
  const more = element("button", { type: "button", onclick: () => isBusy(more) || grow() }, moreText);
  let page = 0;
  let shown = new Set();
  let generation = 0;

  async function grow() {
    const mine = generation;
    setBusy(more, true);
    try {
      const rows = await fetchPage(page + 1);
      if (mine === generation && !signal.aborted) {
        page += 1;
        add(rows);
      }
    } catch (error) {
      if (mine === generation && !signal.aborted) {
        below.replaceChildren(failure(error, grow));
      }
    }
    setBusy(more, false);
  }

  function add(rows) {
    const fresh = rows.filter((row) => !shown.has(idOf(row)));
    fresh.forEach((row) => shown.add(idOf(row)));
    const items = fresh.map(itemOf);
    list.append(...items);
    if (page > 1) {
      say(`${items.length} more shown.`);
    }
    if (rows.length === pageRows) {
      // A node that is moved loses the focus: the button stays where it is.
      if (!more.isConnected) {
        below.replaceChildren(more);
      }
      return;
    }
    // The button goes: whoever pressed it goes on with what it brought.
    if (document.activeElement === more) {
      items[0]?.setAttribute("tabindex", "-1");
      items[0]?.focus();
    }
    const empty = list.hasChildNodes() ? [] : [element("p", { class: "soft" }, emptyText)];
    below.replaceChildren(...empty);
  }

  function reload() {
    generation += 1;
    page = 0;
    shown = new Set();
    list.replaceChildren();
    below.replaceChildren(element("p", { class: "soft" }, "Loading…"));
    return grow();
  }

  return { nodes: [list, below], reload };
}
