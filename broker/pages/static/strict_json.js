// JSON as signed and hashed things need it: read without ambiguity, written in its one canonical way.

import { Failed } from "./failures.js";

const TOKEN =
  /[ \t\n\r]*(?:([[\]{},:]|true|false|null)|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"))/y;
const LITERALS = { true: true, false: false, null: null };

/** JSON without members that stand twice. A number that is not whole or not below 2^53 becomes NaN. */
export function parseJson(text) {
  let at = 0;
  const next = () => {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text);
    if (!token) throw new Failed("not_json");
    at = TOKEN.lastIndex;
    return token;
  };
  const rows = (end, row) => {
    let token = next();
    while (token[1] !== end) {
      row(token);
      const [, mark] = next();
      if (mark === end) return;
      if (mark !== ",") throw new Failed("not_json");
      token = next();
      if (token[1] === end) throw new Failed("not_json");
    }
  };
  const value = ([, word, number, string]) => {
    if (string) return JSON.parse(string);
    if (number) return /^-?\d+$/.test(number) && Number.isSafeInteger(+number) ? +number : NaN;
    if (Object.hasOwn(LITERALS, word)) return LITERALS[word];
    if (word === "[") {
      const items = [];
      rows("]", (token) => items.push(value(token)));
      return items;
    }
    if (word !== "{") throw new Failed("not_json");
    const members = Object.create(null);
    rows("}", ([, , , name]) => {
      const key = name && JSON.parse(name);
      if (!name || key in members || next()[1] !== ":") throw new Failed("not_json");
      members[key] = value(next());
    });
    return members;
  };
  const whole = value(next());
  if (/[^ \t\n\r]/.test(text.slice(at))) throw new Failed("not_json");
  return whole;
}

/** RFC 8785. */
export function canonical(value) {
  if (value === null || typeof value === "boolean" || Number.isSafeInteger(value)) return String(value);
  if (typeof value === "string" && value.isWellFormed()) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object") throw new Failed("result_form");
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${canonical(name)}:${canonical(value[name])}`).join()}}`;
}
