// Fields with labels, choices, and forms that send themselves and say what failed.

import { element, isBusy, setBusy } from "./dom.js";
import { wordsOf } from "./messages.js";

let nextId = 0;

/** Return a labelled line, or several lines when `rows` is given. */
export function field(label, name, { hint, rows, ...attributes } = {}) {
  nextId += 1;
  const id = `field-${nextId}`;
  const described = hint ? { "aria-describedby": `${id}-hint` } : {};
  const own = { id, name, ...described, ...attributes };
  return element(
    "div",
    { class: "field" },
    element("label", { for: id }, label),
    rows ? element("textarea", { rows, ...own }) : element("input", own),
    hint ? element("small", { id: `${id}-hint` }, hint) : null,
  );
}

/**
 * Return a group of which one is chosen. Each option has a value, a label (text or nodes), and
 * maybe `checked` and `disabled`; `onchoose` is called with the value.
 */
export function choice(legend, name, options, { required = true, hint, kind = "", onchoose } = {}) {
  const labels = options.map(({ value, label, checked, disabled }) => {
    const onchange = () => onchoose?.(value);
    const input = { type: "radio", name, value, required, checked, disabled, onchange };
    return element("label", {}, element("input", input), element("span", {}, label));
  });
  return element(
    "fieldset",
    { class: `choice ${kind}`.trim() },
    element("legend", {}, legend, hint ? element("small", {}, ` ${hint}`) : null),
    element("div", { class: "options" }, labels),
  );
}

/**
 * Return a form. `send` gets what was entered, blanks around it removed, and does the work; what it
 * throws is said above the button, and what was entered stays.
 */
export function form(label, parts, buttonText, send) {
  const problem = element("p", { class: "problem", role: "alert" });
  const button = element("button", { type: "submit", class: "main" }, buttonText);
  async function submit(event) {
    event.preventDefault();
    if (isBusy(button)) {
      return;
    }
    setBusy(button, true);
    problem.textContent = "";
    try {
      await send(entered(node), node);
    } catch (error) {
      problem.textContent = wordsOf(error);
    }
    setBusy(button, false);
  }
  const node = element("form", { "aria-label": label, onsubmit: submit }, parts, problem, button);
  return node;
}

/** Return a form behind a line that opens it. `close` empties and closes it. */
export function foldedForm(title, makeForm) {
  const summary = element("summary", {}, title);
  const box = element("details", {}, summary);
  function close() {
    box.querySelector("form").reset();
    box.open = false;
    summary.focus();
  }
  box.append(makeForm(close));
  return box;
}

/** Return the name and e-mail fields that reviews, questions and answers share. */
export function identityFields() {
  return [
    field("Your name", "name", {
      required: true,
      maxlength: 60,
      autocomplete: "nickname",
      hint: "Shown to everybody: better not your full name.",
    }),
    field("Your e-mail", "email", {
      required: true,
      maxlength: 60,
      type: "email",
      autocomplete: "email",
      hint: "Never shown.",
    }),
  ];
}

/** Return the field for photos, one address a line. */
export function photosField() {
  return field("Photos", "photos", {
    rows: 2,
    inputmode: "url",
    hint: "Addresses of pictures, one a line, if you have any.",
  });
}

export function lines(text) {
  return text.split("\n").map((line) => line.trim()).filter(Boolean);
}

function entered(node) {
  const values = [...new FormData(node)].map(([name, value]) => [name, value.trim()]);
  return Object.fromEntries(values);
}
