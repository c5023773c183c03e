/** Which way a message travels. */
export type Direction = "to-server" | "to-client";

/** What becomes of a message. */
export type Decision = "pass" | "redact" | "patch" | "block" | "ask";

/** Messages that a guardrail wants to see; what is left out is not narrowed down. */
export interface Interest {
  /** MCP methods, such as `tools/call`; one that ends in `/*` stands for all that start so. */
  methods?: string[];
  /** Kinds of message: `request`, `response`, `error`, `notification`, `log-line`, `record`. */
  kinds?: string[];
  directions?: Direction[];
}

/** A case that the guardrail ships about itself: the result of a tool, unless said otherwise. */
export interface Example {
  method?: string;
  kind?: string;
  direction?: Direction;
  texts: string[];
  expects: Decision;
  /** For `redact`: the texts afterwards. */
  after?: string[];
}

/** One text of the message. */
export interface Text {
  /** Its number among the message's texts, from 0. */
  readonly index: number;
  readonly value: string;
  /** Where it starts among all texts, and how long it is, in bytes of UTF-8. */
  readonly start: number;
  readonly bytes: number;
}

/** Where a text stands. */
export interface Place {
  /** The JSON Pointer of the value, or of the member whose key it is, from the root of the payload. */
  pointer: string;
  role: "key" | "value";
}

/** The message that is being checked. What is a method here asks the gateway, which costs time. */
export interface Message {
  /** The client connection. Opaque. */
  readonly session: string;
  /** Pairs a request with its progress and its response. */
  readonly exchange?: number;
  /** The server, as the gateway's configuration names it. */
  readonly server: string;
  /** The MCP method; of an answer, the method that it answers. */
  readonly method: string;
  /** See {@link Interest.kinds}. The set may grow: let what you do not know pass. */
  readonly kind: string;
  readonly direction: Direction;
  /** The tool's or prompt's name as the server knows it, or the resource's URI. */
  readonly subject?: string;
  /** Every string of the payload, values and object keys, in document order; long numbers, too. */
  readonly texts: Text[];
  /** Where a text stands. */
  place(text: Text): Place | undefined;
  /** The payload: `params`, `result` or `error`. */
  payload(): unknown;
  /** The value at a JSON Pointer into the payload. */
  value(pointer: string): unknown;
  /** For an answer or a progress notification: the `params` of its request. */
  request(): unknown;
  /** What the earlier guardrails of the chain found in this message. */
  earlierFindings(): { guardrail: string; rule: string }[];
  /** For an answer: microseconds since its request was sent on. */
  elapsed(): number;
}

/**
 * A rule that fired: a short, stable identifier such as `aws-access-key`; or that, how sure it is (0 to 1), and a remark
 * for the person who reads the audit trail. Neither may hold what was found.
 */
export type Rule = string | { id: string; confidence?: number; note?: string };

/**
 * Collects what was found. Places are those of JavaScript strings; they may come in any order and overlap: masks that
 * overlap become one, which covers all of them. To block goes before to ask, before a patch, before masks.
 */
export class Verdict {
  /** Replaces a part of a text. */
  mask(text: Text, start: number, end: number, rule: Rule, replacement: string): void;
  /** Replaces all that a pattern (with the flag `g`) matches. */
  maskAll(
    text: Text,
    pattern: RegExp,
    rule: Rule,
    replacement: string | ((match: RegExpMatchArray) => string),
  ): void;
  /** Reports a part of a text, and leaves it as it is. */
  mark(text: Text, start: number, end: number, rule: Rule): void;
  /** Reports something about the whole message. */
  note(rule: Rule): void;
  /** Inserts into an array of the payload (`-` appends), or sets an object's member. */
  add(pointer: string, value: unknown): void;
  /** Replaces a value of the payload. */
  replace(pointer: string, value: unknown): void;
  /** Removes a value of the payload. Operations apply in order: remove from the end of an array. */
  remove(pointer: string): void;
  /** Refuses the message. Model and person read the reason, so it must not hold what was found. */
  block(reason: string): void;
  /** Lets a person decide. */
  ask(question: string): void;
}

/** A guardrail, as its author writes it. */
export interface Guardrail<Settings = undefined> {
  name: string;
  version: string;
  /** One sentence for a person who decides whether to use it. */
  description: string;
  /** The messages that it wants to see; all, if there is none. */
  wants?: Interest[];
  /** A JSON Schema for the configuration. */
  configSchema?: object;
  /** Cases that hold under this configuration. The gateway runs all of them before a build goes live. */
  examples?: Example[] | ((settings: Settings) => Example[]);
  /**
   * Makes of the configuration what `check` is given. What this leaves in memory is kept in a snapshot: compile
   * patterns here. No import can be called. Throw a string to refuse the configuration: it names the key at fault and
   * the remedy. Without this the guardrail takes no configuration.
   */
  configure?(config: any): Settings;
  /** Judges one message. What it throws means that it could not: the gateway then blocks, unless configured otherwise. */
  check(message: Message, verdict: Verdict, settings: Settings): void;
}

/** What the component exports. */
export interface Component {
  configure(config: string): unknown;
  check(envelope: unknown, texts: unknown, message: unknown): unknown;
}

/** Makes of a guardrail what the component has to export, by the name `guardrail`. */
export function define<Settings = undefined>(guardrail: Guardrail<Settings>): Component;

/** Refuses a configuration with a key that is none of these. */
export function onlyKeys(config: object, known: string[], remedy?: string): void;

/** An operation of a JSON Patch. */
export type PatchOp = { tag: "add" | "replace"; val: { path: string; value: string } } | { tag: "remove"; val: string };

/** What was found. */
export interface Finding {
  rule: string;
  where?: { start: number; end: number };
  replacement?: string;
  confidence: number;
  note?: string;
}
