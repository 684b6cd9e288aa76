// The reviews of a product: what they say together, a list in three orders, one to write.

import { fetchReviewMeta, fetchReviews, markReview } from "./api.js";
import { element } from "./dom.js";
import { marks } from "./marks.js";
import { fill } from "./messages.js";
import { pagedList } from "./paged_list.js";
import { photo } from "./photos.js";
import { ratingLine, ratingSummary, stars } from "./ratings.js";
import { reviewForm } from "./review_form.js";
import { day } from "./words.js";

const PAGE_REVIEWS = 5;
const ORDERS = [
  ["relevant", "most relevant"],
  ["newest", "newest"],
  ["helpful", "most helpful"],
];

/** Return the section. `line` is filled with the rating for the head of the page. */
export function reviewsSection(productId, line, signal) {
  const order = element("select", { id: "order", onchange: () => list.reload() }, orderOptions());
  const summary = element("div", { class: "summary" });
  const write = element("div", {});
  const list = pagedList({
    fetchPage: (page) => fetchReviews(productId, order.value, page, PAGE_REVIEWS, signal),
    pageRows: PAGE_REVIEWS,
    idOf: (review) => review.review_id,
    itemOf: reviewItem,
    emptyText: "No reviews yet. Write the first one.",
    moreText: "More reviews",
    signal,
  });

  function showMeta() {
    return fill(summary, signal, async () => {
      const meta = await fetchReviewMeta(productId, signal);
      line.replaceChildren(...ratingLine(meta));
      if (!write.hasChildNodes()) {
        write.append(reviewForm(productId, meta.characteristics, showPosted));
      }
      return ratingSummary(meta).filter(Boolean);
    });
  }

  function showPosted() {
    order.value = "newest";
    return Promise.all([showMeta(), list.reload()]);
  }

  showMeta();
  list.reload();
  return element(
    "section",
    { id: "reviews", "aria-labelledby": "reviews-title" },
    element("h2", { id: "reviews-title", tabindex: "-1" }, "Reviews"),
    element(
      "div",
      { class: "beside" },
      summary,
      element(
        "div",
        {},
        element("p", { class: "order" }, element("label", { for: "order" }, "Order by "), order),
        list.nodes,
        write,
      ),
    ),
  );
}

function orderOptions() {
  return ORDERS.map(([value, words]) => element("option", { value }, words));
}

function reviewItem(review) {
  const item = element(
    "li",
    {},
    element("h3", {}, review.summary ?? ""),
    element(
      "p",
      { class: "byline" },
      stars(review.rating),
      ` ${review.reviewer_name ?? "Somebody"}, `,
      element("time", { datetime: review.date }, day(review.date)),
    ),
    element("p", { class: "text" }, review.body ?? ""),
    review.recommend ? element("p", { class: "soft" }, "✓ Recommends this product") : null,
    reviewPhotos(review),
    review.response
      ? element("blockquote", {}, element("b", {}, "Answer of the shop: "), review.response)
      : null,
    marks("review", review.review_id, review.helpfulness, markReview, () => {
      item.remove();
      document.getElementById("reviews-title").focus();
    }),
  );
  return item;
}

function reviewPhotos(review) {
  if (!review.photos?.length) {
    return null;
  }
  const name = review.reviewer_name ?? "the reviewer";
  const items = review.photos.map((row) => element("li", {}, photo(row.url, `Photo by ${name}`)));
  return element("ul", { class: "photos" }, items);
}
