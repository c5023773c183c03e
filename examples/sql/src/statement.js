// What is known about SQL.

export const RULES = {
  drop: "drops something",
  truncate: "empties a table",
  "delete-without-where": "deletes all rows of a table",
  "update-without-where": "changes all rows of a table",
};

// Strings, names in quotes, and comments. Of a comment that MySQL runs (`/*! … */`) the inside counts.
const INERT = /'(?:[^'\\]|''|\\.)*'|"(?:[^"]|"")*"|`[^`]*`|\$(\w*)\$[^]*?\$\1\$|--[^\n]*|\/\*(?!!)[^]*?\*\//g;

const VERB = /\b(?:drop|truncate|delete|update)\b/i;

const OBJECT = "table|database|schema|view|materialized|index|column|user|role|function|procedure|trigger|sequence|type";
const STATEMENTS = [
  ["drop", new RegExp(`\\bdrop\\s+(?:${OBJECT})\\b`, "i")],
  ["truncate", /^\s*truncate\s+(?:table\s+)?\S+/i],
  ["delete-without-where", /\bdelete\s+(?:low_priority\s+|quick\s+|ignore\s+)*from\s+(?![^]*\bwhere\b)/i],
  ["update-without-where", /\bupdate\s+(?:only\s+)?\S+(?:\s+(?:as\s+)?\w+)?\s+set\s+(?![^]*\bwhere\b)/i],
];

// The rules that a text breaks, if it is one of SQL.
export function destruction(text) {
  if (!VERB.test(text)) return [];
  const plain = text
    .replace(INERT, (inert) => (/^[-/]/.test(inert) ? " " : "x"))
    .replace(/\/\*!\d*|\*\//g, " ");
  const broken = new Set();
  for (const statement of plain.split(";")) {
    for (const [rule, pattern] of STATEMENTS) if (pattern.test(statement)) broken.add(rule);
  }
  return [...broken];
}
