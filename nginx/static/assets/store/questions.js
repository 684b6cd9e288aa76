// Questions about a product and their answers.

import { fetchQuestions, markAnswer, markQuestion, postAnswer, postQuestion } from "./api.js";
import { element } from "./dom.js";
import { field, foldedForm, form, identityFields, lines, photosField } from "./forms.js";
import { marks } from "./marks.js";
import { say } from "./messages.js";
import { pagedList } from "./paged_list.js";
import { photo } from "./photos.js";
import { day, plural } from "./words.js";

const PAGE_QUESTIONS = 4;
const ANSWERS_FIRST = 2;

export function questionsSection(productId, signal) {
  const list = pagedList({
    fetchPage: (page) => fetchQuestions(productId, page, PAGE_QUESTIONS, signal),
    pageRows: PAGE_QUESTIONS,
    idOf: (question) => question.question_id,
    itemOf: (question) => questionItem(question, list.reload),
    emptyText: "No questions yet. Ask the first one.",
    moreText: "More questions",
    signal,
  });
  list.reload();
  return element(
    "section",
    { id: "questions", "aria-labelledby": "questions-title" },
    element("h2", { id: "questions-title", tabindex: "-1" }, "Questions and answers"),
    list.nodes,
    askForm(productId, list.reload),
  );
}

function questionItem(question, reload) {
  const item = element(
    "li",
    {},
    element("h3", { class: "text" }, question.question_body ?? ""),
    byline(question.asker_name, question.question_date),
    marks("question", question.question_id, question.question_helpfulness, markQuestion, () => {
      item.remove();
      document.getElementById("questions-title").focus();
    }),
    answerList(Object.values(question.answers)),
    answerForm(question.question_id, reload),
  );
  return item;
}

/** Return the most helpful answers, and a button for the others. */
function answerList(answers) {
  const sorted = answers.toSorted((one, other) => other.helpfulness - one.helpfulness || one.id - other.id);
  const list = element("ul", { class: "answers" }, sorted.slice(0, ANSWERS_FIRST).map(answerItem));
  const rest = sorted.slice(ANSWERS_FIRST);
  if (rest.length === 0) {
    return list;
  }
  const more = element("button", { type: "button", class: "quiet" }, plural(rest.length, "more answer", "more answers"));
  more.addEventListener("click", () => {
    const items = rest.map(answerItem);
    more.replaceWith();
    list.append(...items);
    items[0].setAttribute("tabindex", "-1");
    items[0].focus();
  });
  return [list, more];
}

function answerItem(answer) {
  const photos = (answer.photos ?? []).map((address) => element("li", {}, photo(address, "Photo of the answer")));
  const item = element(
    "li",
    {},
    element("p", { class: "text" }, answer.body ?? ""),
    photos.length ? element("ul", { class: "photos" }, photos) : null,
    byline(answer.answerer_name, answer.date),
    marks("answer", answer.id, answer.helpfulness, markAnswer, () => {
      item.remove();
      document.getElementById("questions-title").focus();
    }),
  );
  return item;
}

function byline(name, date) {
  const time = element("time", { datetime: date }, day(date));
  return element("p", { class: "byline" }, `${name ?? "Somebody"}, `, time);
}

function askForm(productId, reload) {
  const parts = [field("Question", "body", { required: true, maxlength: 1000, rows: 3 }), ...identityFields()];
  return foldedForm("Ask a question", (close) =>
    form("Ask a question", parts, "Post the question", async ({ body, name, email }) => {
      await postQuestion({ product_id: productId, body, name, email });
      close();
      say("Thank you. Your question is published, at the end of the list.");
      await reload();
    }),
  );
}

function answerForm(questionId, reload) {
  return foldedForm("Answer this question", (close) => {
    const parts = [
      field("Answer", "body", { required: true, maxlength: 1000, rows: 3 }),
      photosField(),
      ...identityFields(),
    ];
    return form("Answer this question", parts, "Post the answer", async ({ body, name, email, photos }) => {
      await postAnswer(questionId, { body, name, email, photos: lines(photos) });
      close();
      say("Thank you. Your answer is published.");
      await reload();
      // The list is a new one: where the focus was is gone.
      document.getElementById("questions-title").focus();
    });
  });
}
