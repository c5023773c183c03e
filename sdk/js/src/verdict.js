// Collects findings, and makes a verdict of them that keeps the contract.

import { Ruler } from "./utf8.js";

export class Verdict {
  #masks = [];
  #marks = [];
  #notes = [];
  #patch = [];
  #refusal;
  #question;

  mask(text, start, end, rule, replacement) {
    this.#masks.push(claim(text, start, end, rule, replacement));
  }

  maskAll(text, pattern, rule, replacement) {
    for (const match of text.value.matchAll(pattern)) {
      if (match[0] === "") continue;
      const by = typeof replacement === "function" ? replacement(match) : replacement;
      this.mask(text, match.index, match.index + match[0].length, rule, by);
    }
  }

  mark(text, start, end, rule) {
    this.#marks.push(claim(text, start, end, rule));
  }

  note(rule) {
    this.#notes.push(finding(rule));
  }

  add(path, value) {
    this.#patch.push({ tag: "add", val: { path, value: JSON.stringify(value) } });
  }

  replace(path, value) {
    this.#patch.push({ tag: "replace", val: { path, value: JSON.stringify(value) } });
  }

  remove(path) {
    this.#patch.push({ tag: "remove", val: path });
  }

  block(reason) {
    this.#refusal ??= reason;
  }

  ask(question) {
    this.#question ??= question;
  }

  finish() {
    const { kept, lost } = resolve(this.#masks, this.#marks);
    const findings = [...spans(kept), ...lost.map((claim) => finding(claim.rule)), ...this.#notes];
    return { decision: this.#decision(), findings };
  }

  #decision() {
    if (this.#refusal !== undefined) return { tag: "block", val: this.#refusal };
    if (this.#question !== undefined) return { tag: "ask", val: this.#question };
    if (this.#patch.length > 0) return { tag: "patch", val: this.#patch };
    return { tag: this.#masks.length > 0 ? "redact" : "pass" };
  }
}

function claim(text, start, end, rule, replacement) {
  if (!(0 <= start && start < end && end <= text.value.length)) {
    throw `rule "${id(rule)}": ${start}..${end} is no part of a text of ${text.value.length} units`;
  }
  return { text, start, end, rule, replacement };
}

function id(rule) {
  return typeof rule === "string" ? rule : rule.id;
}

function finding(rule, where, replacement) {
  const { confidence = 1, note } = typeof rule === "string" ? {} : rule;
  return { rule: id(rule), where, replacement, confidence, note };
}

// Masks that overlap become one, so that nothing that a rule wants hidden stays visible; the longest gives its rule
// and its replacement. A mark that overlaps a mask loses its place.
function resolve(masks, marks) {
  const merged = merge(masks);
  const beside = merge(marks);
  const lost = [...merged.lost, ...beside.lost];
  const kept = [...merged.kept];
  let next = 0;
  for (const mark of beside.kept) {
    while (next < merged.kept.length && before(merged.kept[next], mark)) next++;
    const mask = merged.kept[next];
    (mask && overlap(mask, mark) ? lost : kept).push(mark);
  }
  kept.sort(order);
  return { kept, lost };
}

function merge(claims) {
  const kept = [];
  const lost = [];
  let winner = 0;
  for (const next of [...claims].sort(order)) {
    const last = kept[kept.length - 1];
    const length = next.end - next.start;
    if (!last || !overlap(last, next)) {
      kept.push({ ...next });
      winner = length;
      continue;
    }
    const loser = { ...last };
    last.end = Math.max(last.end, next.end);
    if (length > winner) {
      winner = length;
      last.rule = next.rule;
      last.replacement = next.replacement;
    } else {
      loser.rule = next.rule;
    }
    // The same rule twice on the same place tells a person nothing.
    if (id(loser.rule) !== id(last.rule)) lost.push(loser);
  }
  return { kept, lost };
}

function order(one, other) {
  return one.text.index - other.text.index || one.start - other.start || other.end - one.end;
}

function before(one, other) {
  return one.text.index < other.text.index || (one.text.index === other.text.index && one.end <= other.start);
}

function overlap(one, other) {
  return !before(one, other) && !before(other, one);
}

function spans(claims) {
  let [ruler, text] = [undefined, undefined];
  const byte = ({ start: unit, rule }) => {
    if (text.value.length === text.bytes) return text.start + unit;
    if (!ruler.toUnit(unit)) throw `rule "${id(rule)}": ${unit} is inside a character`;
    return text.start + ruler.byte;
  };
  return claims.map((claim) => {
    if (claim.text !== text) {
      text = claim.text;
      ruler = new Ruler(text.value);
    }
    const start = byte(claim);
    const end = byte({ start: claim.end, rule: claim.rule });
    return finding(claim.rule, { start, end }, claim.replacement);
  });
}
