// How long things are in UTF-8, which is what the gateway counts in. What is ASCII is passed over by the engine's own
// search, since a loop in an interpreter would be slow.

const WIDE = /[^\0-\x7f]/g;

// Goes through a string, and knows where it is in units of the string and in bytes.
export class Ruler {
  #value;
  #wide;
  unit = 0;
  byte = 0;

  constructor(value) {
    this.#value = value;
    this.#wide = this.#next(0);
  }

  // To a place in units, or in bytes, behind the one before; says whether a character starts there.
  toUnit(unit) {
    while (this.#wide < unit) this.#pass();
    const left = unit - this.unit;
    if (left > 0) this.#advance(left);
    return this.unit === unit;
  }

  toByte(byte) {
    while (this.byte + this.#wide - this.unit < byte) this.#pass();
    const left = byte - this.byte;
    if (left > 0) this.#advance(left);
    return this.byte === byte;
  }

  // Over what is ASCII.
  #advance(units) {
    this.unit += units;
    this.byte += units;
  }

  // Over the next character that is not.
  #pass() {
    this.#advance(this.#wide - this.unit);
    const code = this.#value.codePointAt(this.unit);
    this.byte += code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    this.unit += code < 0x10000 ? 1 : 2;
    this.#wide = this.#next(this.unit);
  }

  #next(from) {
    WIDE.lastIndex = from;
    return WIDE.exec(this.#value)?.index ?? Infinity;
  }
}

// UTF-8 in a place that has no TextEncoder.
export function encoded(text) {
  return Uint8Array.from(unescape(encodeURIComponent(text)), (byte) => byte.charCodeAt(0));
}

export function decoded(bytes) {
  return decodeURIComponent(escape(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")));
}
