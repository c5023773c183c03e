// Requests as `wasi:http` has them. What belongs to another resource is given back before that.

import { handle } from "wasi:http/outgoing-handler@0.2.0";
import { Fields, OutgoingBody, OutgoingRequest, RequestOptions, httpErrorCode } from "wasi:http/types@0.2.0";

import { HttpError } from "./errors.js";
import { Response, address } from "./request.js";
import { encoded } from "./utf8.js";

export { HttpError, Response };

// Bytes of an answer that are asked for at a time.
const PIECE = 65536;

export function send({ method = "GET", url, headers = {}, body = "", patience }) {
  const request = outgoing(method, address(url), headers);
  const sending = request.body();
  const answer = attempt(
    () => handle(request, options(patience)),
    (code) => {
      sending[Symbol.dispose]();
      return told(code);
    },
  );
  write(sending, typeof body === "string" ? encoded(body) : body);
  // A result in a result: that it is the first to ask, and what there is.
  const got = using(answer, () => {
    using(answer.subscribe(), (pollable) => pollable.block());
    return answer.get().val;
  });
  if (got.tag === "err") throw told(got.val);
  return using(got.val, received);
}

function outgoing(method, { secure, authority, path }, headers) {
  return attempt(
    () => {
      const fields = new Fields();
      for (const [name, value] of Object.entries(headers)) fields.append(name, encoded(value));
      const request = new OutgoingRequest(fields);
      const known = { GET: "get", POST: "post" }[method];
      request.setMethod(known ? { tag: known } : { tag: "other", val: method });
      request.setScheme({ tag: secure ? "HTTPS" : "HTTP" });
      request.setAuthority(authority);
      request.setPathWithQuery(path);
      return request;
    },
    () => new HttpError("refused", "it is no request that can be sent"),
  );
}

function options(patience) {
  if (patience === undefined) return undefined;
  const nanoseconds = Math.round(patience * 1e9);
  const made = new RequestOptions();
  made.setConnectTimeout(nanoseconds);
  made.setFirstByteTimeout(nanoseconds);
  made.setBetweenBytesTimeout(nanoseconds);
  return made;
}

function write(sending, body) {
  try {
    using(sending.write(), (stream) => {
      for (let done = 0; done < body.length; ) {
        const room = stream.checkWrite();
        if (room === 0) {
          using(stream.subscribe(), (pollable) => pollable.block());
          continue;
        }
        stream.write(body.subarray(done, done + room));
        done += room;
      }
    });
    OutgoingBody.finish(sending, undefined);
  } catch {
    // Where it cannot be written, the answer says why.
  }
}

function received(response) {
  const headers = using(response.headers(), (fields) => fields.entries());
  const bytes = using(response.consume(), (incoming) => using(incoming.stream(), all));
  return new Response(response.status(), headers.map(([name, value]) => [name, latin1(value)]), bytes);
}

function all(stream) {
  let bytes = new Uint8Array(0);
  for (;;) {
    try {
      const piece = stream.blockingRead(PIECE);
      const both = new Uint8Array(bytes.length + piece.length);
      both.set(bytes);
      both.set(piece, bytes.length);
      bytes = both;
    } catch ({ payload }) {
      if (payload.tag === "closed") return bytes;
      throw using(payload.val, (error) => {
        const code = httpErrorCode(error);
        return code ? told(code) : new HttpError("broken", "in the middle");
      });
    }
  }
}

// What a call refuses comes as the payload of an error.
function attempt(call, error) {
  try {
    return call();
  } catch (thrown) {
    // Anything else is a mistake of whoever called.
    if (thrown.payload === undefined) throw thrown;
    throw error(thrown.payload);
  }
}

function using(resource, work) {
  try {
    return work(resource);
  } finally {
    resource[Symbol.dispose]();
  }
}

function latin1(bytes) {
  return String.fromCharCode(...bytes);
}

function told({ tag, val }) {
  if (tag === "internal-error" && val) return new HttpError("refused", val);
  return new HttpError(Object.keys(KINDS).find((kind) => KINDS[kind].includes(tag)) ?? "broken", tag);
}

const KINDS = {
  refused: ["HTTP-request-denied", "HTTP-request-method-invalid", "HTTP-request-URI-invalid", "destination-IP-prohibited"],
  unreachable: [
    "DNS-error",
    "DNS-timeout",
    "destination-not-found",
    "destination-unavailable",
    "connection-refused",
    "connection-timeout",
  ],
  untrusted: ["TLS-certificate-error", "TLS-protocol-error", "TLS-alert-received"],
  "timed-out": ["HTTP-response-timeout", "connection-read-timeout", "connection-write-timeout"],
  "too-large": ["HTTP-request-body-size", "HTTP-response-body-size"],
};
