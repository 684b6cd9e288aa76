// Writing a review.

import { postReview } from "./api.js";
import { choice, field, foldedForm, form, identityFields, lines, photosField } from "./forms.js";
import { say } from "./messages.js";
import { endsOf } from "./ratings.js";

const STAR_WORDS = ["1, poor", "2, fair", "3, average", "4, good", "5, great"];
const FROM_ONE_TO_FIVE = [1, 2, 3, 4, 5];

/**
 * Return the folded form. `characteristics` are those of the product's meta, by name; `onposted`
 * shows the new review.
 */
export function reviewForm(productId, characteristics, onposted) {
  return foldedForm("Write a review", (close) =>
    form("Write a review", fields(characteristics), "Post the review", async (entered) => {
      await postReview(reviewOf(productId, characteristics, entered));
      close();
      say("Thank you. Your review is published.");
      await onposted();
    }),
  );
}

function fields(characteristics) {
  const starOptions = STAR_WORDS.map((label, index) => ({ value: index + 1, label }));
  const yesAndNo = [{ value: "yes", label: "Yes" }, { value: "no", label: "No" }];
  return [
    choice("Stars", "rating", starOptions),
    choice("Do you recommend this product?", "recommend", yesAndNo),
    ...Object.entries(characteristics).map(([name, { id }]) => {
      const [low, high] = endsOf(name);
      const options = FROM_ONE_TO_FIVE.map((value) => ({ value, label: String(value) }));
      return choice(name, `characteristic-${id}`, options, { hint: `1 ${low}, 5 ${high}` });
    }),
    field("Summary", "summary", { required: true, maxlength: 60 }),
    field("Review", "body", { required: true, maxlength: 1000, rows: 5 }),
    photosField(),
    ...identityFields(),
  ];
}

function reviewOf(productId, characteristics, entered) {
  const ids = Object.values(characteristics).map(({ id }) => id);
  return {
    product_id: productId,
    rating: Number(entered.rating),
    recommend: entered.recommend === "yes",
    summary: entered.summary,
    body: entered.body,
    name: entered.name,
    email: entered.email,
    photos: lines(entered.photos),
    characteristics: Object.fromEntries(
      ids.map((id) => [id, Number(entered[`characteristic-${id}`])]),
    ),
  };
}
