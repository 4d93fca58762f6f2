// What a check can end in: a code that the page has words for, and a name where one is at fault. Never a value.

export class Failed extends Error {
  constructor(code, detail = "") {
    super(code);
    this.detail = detail;
  }
}

/** A step that could not be done; that says nothing against the receipt. */
export class Unable extends Failed {}
