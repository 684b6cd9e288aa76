// The two buttons below a review, a question or an answer: it helped, and it should not be here.

import { element, isBusy, setBusy } from "./dom.js";
import { recall, remember } from "./memory.js";
import { say, wordsOf } from "./messages.js";

// The API counts every call; one vote a person is what this browser keeps to.
const VOTES = "votes";
const KEPT_VOTES = 2_000;

/**
 * Return the buttons. `kind` is review, question or answer; `mark(id, action)` tells the API;
 * `onreported` takes the item off the page.
 */
export function marks(kind, id, helpfulness, mark, onreported) {
  return element("p", { class: "marks" }, helpful(kind, id, helpfulness, mark), report(kind, id, mark, onreported));
}

function helpful(kind, id, helpfulness, mark) {
  const vote = `${kind} ${id}`;
  const voted = recall(VOTES, []).includes(vote);
  const label = (count) => `Helpful (${count})`;
  const button = element("button", { type: "button", class: "quiet" }, label(helpfulness));
  setBusy(button, voted);
  button.addEventListener("click", async () => {
    if (await tried(button, () => mark(id, "helpful"))) {
      setBusy(button, true);
      button.textContent = label(helpfulness + 1);
      remember(VOTES, [...recall(VOTES, []), vote].slice(-KEPT_VOTES));
      say("Thank you for your vote.");
    }
  });
  return button;
}

function report(kind, id, mark, onreported) {
  const button = element("button", { type: "button", class: "quiet" }, "Report");
  let sure = false;
  button.addEventListener("click", async () => {
    if (!sure) {
      sure = true;
      button.textContent = "Really report?";
      say(`Press again to report this ${kind}. It is then hidden from everybody.`);
      return;
    }
    if (await tried(button, () => mark(id, "report"))) {
      say(`Thank you. The ${kind} is hidden.`);
      onreported();
    }
  });
  return button;
}

/** Do the work unless the button is busy; return whether it succeeded, and say why not. */
async function tried(button, work) {
  if (isBusy(button)) {
    return false;
  }
  setBusy(button, true);
  try {
    await work();
    return true;
  } catch (error) {
    say(wordsOf(error));
    return false;
  } finally {
    setBusy(button, false);
  }
}
