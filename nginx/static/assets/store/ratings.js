// Stars, and what all reviews of a product say together.

import { element, spoken } from "./dom.js";
import { plural } from "./words.js";

const STARS = [5, 4, 3, 2, 1];

/** What 1 and 5 mean for the characteristics that are known; others are just low and high. */
const ENDS = {
  Size: ["too small", "too big"],
  Width: ["too narrow", "too wide"],
  Comfort: ["uncomfortable", "comfortable"],
  Quality: ["poor", "excellent"],
  Length: ["runs short", "runs long"],
  Fit: ["too tight", "too loose"],
};

export function endsOf(characteristic) {
  return ENDS[characteristic] ?? ["low", "high"];
}

/** Return stars filled up to a value between 0 and 5. */
export function stars(value) {
  const node = element("span", { class: "stars", role: "img", "aria-label": `${value} of 5 stars` });
  node.style.setProperty("--filled", `${(value / 5) * 100}%`);
  return node;
}

/** Return {average, count} of a meta answer; the average has one decimal, 0 without reviews. */
export function averageOf(meta) {
  const counts = STARS.map((star) => [star, Number(meta.ratings[star] ?? 0)]);
  const count = counts.reduce((sum, [, reviews]) => sum + reviews, 0);
  const sum = counts.reduce((total, [star, reviews]) => total + star * reviews, 0);
  return { average: count ? Math.round((sum / count) * 10) / 10 : 0, count };
}

/** Return a short line for the head of the product's page. */
export function ratingLine(meta) {
  const { average, count } = averageOf(meta);
  if (count === 0) {
    return [element("a", { href: "#reviews" }, "No reviews yet")];
  }
  const words = plural(count, "review", "reviews");
  return [stars(average), " ", element("a", { href: "#reviews" }, `${average} from ${words}`)];
}

/** Return what all reviews say together; nothing when there are none. */
export function ratingSummary(meta) {
  const { average, count } = averageOf(meta);
  if (count === 0) {
    return [];
  }
  const total = element(
    "p",
    { class: "total" },
    element("strong", {}, String(average)),
    stars(average),
    element("span", { class: "soft" }, plural(count, "review", "reviews")),
  );
  return [total, recommended(meta), bars(meta, count), characteristics(meta)];
}

function recommended(meta) {
  const yes = Number(meta.recommended.true ?? 0);
  const all = yes + Number(meta.recommended.false ?? 0);
  const share = all ? Math.round((yes / all) * 100) : 0;
  return element("p", {}, `${share} % recommend this product.`);
}

function bars(meta, count) {
  const rows = STARS.map((star) => {
    const reviews = Number(meta.ratings[star] ?? 0);
    const bar = element("span", { class: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--share", `${(reviews / count) * 100}%`);
    const label = plural(star, "star", "stars");
    return element("li", {}, element("span", {}, label), bar, element("span", {}, String(reviews), spoken(" reviews")));
  });
  return element("ul", { class: "bars", "aria-label": "Reviews by stars" }, rows);
}

function characteristics(meta) {
  const rows = Object.entries(meta.characteristics)
    .filter(([, characteristic]) => characteristic.value !== null)
    .map(([name, characteristic]) => {
      const value = Number(characteristic.value);
      const [low, high] = endsOf(name);
      const scale = element("span", { class: "scale", "aria-hidden": "true" });
      scale.style.setProperty("--at", `${((value - 1) / 4) * 100}%`);
      return element(
        "li",
        {},
        element("span", {}, name, spoken(`: ${value.toFixed(1)} between 1, ${low}, and 5, ${high}`)),
        scale,
        element("span", { class: "ends", "aria-hidden": "true" }, element("i", {}, low), element("i", {}, high)),
      );
    });
  return rows.length ? element("ul", { class: "scales", "aria-label": "Characteristics" }, rows) : null;
}
