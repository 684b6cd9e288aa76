// What this browser remembers between visits. A browser may refuse to; then it forgets.

/** Return what was kept under a name, or `otherwise`. */
export function recall(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(`catalog.${name}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(`catalog.${name}`, JSON.stringify(value));
  } catch {
    // Private windows and full disks: the page works without.
  }
}
