// What requests and answers are, with a gateway and without.

import { HttpError } from "./errors.js";
import { decoded } from "./utf8.js";

// The parts of a URL that a request names apart; there is no `URL` in a component.
export function address(url) {
  const [, scheme, authority, rest] = /^(https?):\/\/([^/?#]+)([^#]*)/.exec(url) ?? [];
  if (authority === undefined) throw new HttpError("refused", "its address is none of http or https");
  return { secure: scheme === "https", authority, path: rest.startsWith("/") ? rest : `/${rest}` };
}

export class Response {
  constructor(status, headers, bytes) {
    this.status = status;
    this.headers = headers;
    this.bytes = bytes;
  }

  header(name) {
    return this.headers.find(([known]) => known === name)?.[1];
  }

  text() {
    return decoded(this.bytes);
  }

  json() {
    return JSON.parse(this.text());
  }
}
