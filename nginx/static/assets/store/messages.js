// What is told beside the page: good news for everybody, also for screen readers; failures in place.

import { element } from "./dom.js";

const SHOWN_MILLISECONDS = 6_000;
let hide;

/** Tell something in a line at the bottom, politely: nothing that the person does is interrupted. */
export function say(text) {
  const line = document.getElementById("message");
  line.textContent = text;
  clearTimeout(hide);
  hide = setTimeout(() => { line.textContent = ""; }, SHOWN_MILLISECONDS);
}

/** Return a box that says what failed, with a button to try again. */
export function failure(error, retry) {
  return element(
    "div",
    { class: "failure", role: "alert" },
    element("p", {}, wordsOf(error)),
    element("button", { type: "button", onclick: retry }, "Try again"),
  );
}

/** Return the words for a person; what is no failure of a call is a mistake in these pages. */
export function wordsOf(error) {
  if (error.name === "ApiError") {
    return error.message;
  }
  console.error(error);
  return "This page made a mistake. Please load it again.";
}

/**
 * Fill a part of the page with the nodes that `load` returns. A part that fails says so and can be
 * tried again; the others stand. Nothing happens any more once `signal` says the page was left.
 */
export async function fill(place, signal, load) {
  place.setAttribute("aria-busy", "true");
  if (!place.hasChildNodes()) {
    place.replaceChildren(element("p", { class: "soft" }, "Loading…"));
  }
  try {
    const nodes = await load();
    if (!signal.aborted) {
      place.replaceChildren(...nodes);
    }
  } catch (error) {
    if (!signal.aborted) {
      place.replaceChildren(failure(error, () => fill(place, signal, load)));
    }
  }
  place.removeAttribute("aria-busy");
}
