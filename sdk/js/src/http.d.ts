/**
 * Requests over HTTP, to the destinations that the configuration grants: `grant = { http = ["https://example.com"] }`.
 *
 * The gateway sends them with its own client, adds the headers that the configuration names for a destination (a key need
 * never be in a guardrail), and follows no redirect. Requests and bytes are limited for each message, and the time is
 * that of the check. The guardrail's world has to import it (`import wasi:http/outgoing-handler@0.2.0;`). Nothing leaves
 * while a guardrail is configured, nor for messages that nobody sent, such as examples; under Node.js nobody is reached.
 */

/** A request in the making. */
export interface Request {
  /** `GET`, unless said otherwise. */
  method?: string;
  /** Of `http` or `https`. */
  url: string;
  /** One that the configuration adds takes the place of one of the same name. */
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** How many seconds the answer may take to begin, and between any two pieces of it; at most as long as the check. */
  patience?: number;
}

/** An answer, whatever its status. */
export class Response {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: [name: string, value: string][];
  readonly bytes: Uint8Array;
  /** The first header of a name, which is in lower case. */
  header(name: string): string | undefined;
  /** The body, which is UTF-8. */
  text(): string;
  /** The body, which is JSON. */
  json(): any;
}

/** There is no answer. */
export class HttpError extends Error {
  /**
   * - `refused`: the request did not leave, and another attempt will not, either; the words name the remedy.
   * - `unreachable`: nobody is there to talk to. The request did not arrive.
   * - `untrusted`: the other side is not whom it should be; its certificate is not trusted.
   * - `timed-out`, `broken`: it took too long, or the connection ended. The request may have arrived.
   * - `too-large`: the request, or its answer, is larger than one may be.
   */
  readonly kind: "refused" | "unreachable" | "untrusted" | "timed-out" | "broken" | "too-large";
}

/** Sends a request, and waits for the whole answer. Where there is none, an {@link HttpError} is thrown. */
export function send(request: Request): Response;
