// The one door to the API: its legacy routes at this very origin, and failures in words.

import { silenceWords, statusWords } from "./words.js";

// Above the server's own deadlines (nginx gives up on a read after 8 s), so that its answer is seen.
const TIMEOUT_MILLISECONDS = 10_000;

/** A call that failed. The message is for the person; the status is 0 when no answer came. */
export class ApiError extends Error {
  constructor(words, status = 0, options = {}) {
    super(words, options);
    this.name = "ApiError";
    this.status = status;
  }
}

export const fetchProducts = (page, count, signal) => read("/products", { page, count }, signal);
export const fetchProduct = (id, signal) => read(`/products/${id}`, {}, signal);
export const fetchStyles = async (id, signal) =>
  (await read(`/products/${id}/styles`, {}, signal)).results;
export const fetchRelated = (id, signal) => read(`/products/${id}/related`, {}, signal);
export const fetchReviews = async (productId, sort, page, count, signal) =>
  (await read("/reviews", { product_id: productId, sort, page, count }, signal)).results;
export const fetchReviewMeta = (productId, signal) =>
  read("/reviews/meta", { product_id: productId }, signal);
export const fetchQuestions = async (productId, page, count, signal) =>
  (await read("/qa/questions", { product_id: productId, page, count }, signal)).results;
export const fetchCart = () => read("/cart", {});

export const postReview = (review) => send("POST", "/reviews", review);
export const postQuestion = (question) => send("POST", "/qa/questions", question);
export const postAnswer = (questionId, answer) =>
  send("POST", `/qa/questions/${questionId}/answers`, answer);
export const postCart = (skuId) => send("POST", "/cart", { sku_id: skuId });

/** Vote for or report one item: `action` is `helpful` or `report`. */
export const markReview = (id, action) => send("PUT", `/reviews/${id}/${action}`, {});
export const markQuestion = (id, action) => send("PUT", `/qa/questions/${id}/${action}`, {});
export const markAnswer = (id, action) => send("PUT", `/qa/answers/${id}/${action}`, {});

async function read(path, parameters, signal) {
  const query = new URLSearchParams(parameters).toString();
  const response = await call(query ? `${path}?${query}` : path, { signal });
  return response.json();
}

async function send(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  await call(path, { method, headers, body: JSON.stringify(body) });
}

/**
 * Return the whole answer. Throws an ApiError for anything but success; when `signal` ended the
 * call, which only happens on leaving a page, its reason goes on as it is.
 */
async function call(path, { signal, headers, ...options }) {
  const deadline = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
  let response;
  let body;
  try {
    response = await fetch(path, {
      ...options,
      // Value types as these pages read them, whatever profile the deployment is set to.
      headers: { ...headers, Accept: "application/json", "X-Legacy-Profile": "2021" },
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
    body = await response.text();
  } catch (error) {
    if (signal?.aborted) {
      throw error;
    }
    throw new ApiError(silenceWords(deadline.aborted), 0, { cause: error });
  }
  if (!response.ok) {
    const wait = retryAfterSeconds(response.headers.get("Retry-After"));
    throw new ApiError(statusWords(response.status, wait), response.status);
  }
  return { json: () => JSON.parse(body) };
}

/** Return the seconds that a Retry-After asks for, given as a number or as a date; 0 for neither. */
function retryAfterSeconds(header) {
  if (header === null) {
    return 0;
  }
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? 0 : Math.max(1, Math.ceil(seconds));
}
