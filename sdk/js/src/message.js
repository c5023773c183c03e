// The message that is checked. Texts are strings as JavaScript has them; what they are in bytes stays in here.

import { Ruler } from "./utf8.js";

export class Message {
  #joined;
  #ends;
  #details;
  #texts;

  constructor(envelope, texts, details) {
    this.session = envelope.session;
    this.exchange = number(envelope.exchange);
    this.server = envelope.server;
    this.method = envelope.method;
    this.kind = envelope.kind;
    this.direction = envelope.direction;
    this.subject = envelope.subject ?? undefined;
    this.#joined = texts.joined;
    this.#ends = texts.ends;
    this.#details = details;
  }

  get texts() {
    return (this.#texts ??= split(this.#joined, this.#ends));
  }

  place(text) {
    return this.#details.place(text.index) ?? undefined;
  }

  payload() {
    return parsed(this.#details.payload());
  }

  value(pointer) {
    return parsed(this.#details.value(pointer));
  }

  request() {
    return parsed(this.#details.request());
  }

  earlierFindings() {
    return this.#details.earlierFindings();
  }

  elapsed() {
    return Number(this.#details.elapsed());
  }
}

function number(whole) {
  return whole === undefined || whole === null ? undefined : Number(whole);
}

function parsed(json) {
  return json === undefined || json === null ? undefined : JSON.parse(json);
}

function split(joined, ends) {
  const texts = [];
  const all = ends.length === 0 ? 0 : ends[ends.length - 1];
  // Of plain ASCII, which most messages are, every unit is a byte.
  const ruler = joined.length === all ? undefined : new Ruler(joined);
  let [start, unit] = [0, 0];
  for (let index = 0; index < ends.length; index++) {
    const end = ends[index];
    ruler?.toByte(end);
    const next = ruler ? ruler.unit : end;
    texts.push({ index, value: joined.slice(unit, next), start, bytes: end - start });
    [start, unit] = [end, next];
  }
  return texts;
}
