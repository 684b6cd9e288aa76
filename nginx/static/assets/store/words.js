// How values and failures are put to a person.

export function price(text) {
  return text === null || text === undefined ? "" : `$${text}`;
}

/** Return a day such as 30 July 2020 in the reader's language; empty for what is no date. */
export function day(text) {
  const moment = new Date(text ?? "");
  if (Number.isNaN(moment.getTime())) {
    return "";
  }
  return moment.toLocaleDateString(undefined, { dateStyle: "long", timeZone: "UTC" });
}

export function plural(count, one, many) {
  return `${count} ${count === 1 ? one : many}`;
}

/** Return what an HTTP status means to a person, and when to come back if the answer says so. */
export function statusWords(status, retryAfterSeconds) {
  const wait = retryAfterSeconds ? `in ${plural(retryAfterSeconds, "second", "seconds")}` : "in a moment";
  switch (status) {
    case 404:
      return "This is not here, or no longer.";
    case 413:
      return "That is too much at once. Please shorten it.";
    case 422:
    case 400:
      return "This was not accepted. Please check what you entered.";
    case 429:
      return `That was a lot at once. Please try again ${wait}.`;
    case 502:
    case 503:
    case 504:
      return `The shop is busy. Please try again ${wait}.`;
    default:
      return `Something went wrong in the shop (status ${status}). Please try again later.`;
  }
}

/** Return what to say when no answer came at all. */
export function silenceWords(timedOut) {
  if (!navigator.onLine) {
    return "You are offline. Please try again when you are connected.";
  }
  if (timedOut) {
    return "The shop did not answer in time. Please try again.";
  }
  return "The shop cannot be reached. Please check your connection and try again.";
}
