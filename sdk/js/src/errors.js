// What the gateway says no to. The words hold nothing of a message.

export class StateError extends Error {
  constructor(reason) {
    super(
      {
        full: "the gateway has no more room for what this guardrail keeps",
        "too-large": "the key or the value is longer than the gateway keeps",
        "not-a-number": "what is kept is no number that can be counted on",
      }[reason],
    );
    this.name = "StateError";
    this.reason = reason;
  }
}

const KINDS = {
  refused: "the request does not leave",
  unreachable: "nobody is reached",
  untrusted: "the other side is not trusted",
  "timed-out": "there is no answer in time",
  broken: "the connection broke",
  "too-large": "it is larger than it may be",
};

export class HttpError extends Error {
  constructor(kind, words) {
    super(`${KINDS[kind]}: ${words}`);
    this.name = "HttpError";
    this.kind = kind;
  }
}
