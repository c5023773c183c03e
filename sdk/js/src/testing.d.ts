/** Asks a guardrail without a gateway, so that plain Node.js tests its rule. */

import type { Component, Decision, Direction, Finding, PatchOp } from "./index.js";

/** A message to judge: a tool's result, unless said otherwise. */
export interface Sample {
  method?: string;
  kind?: string;
  direction?: Direction;
  subject?: string;
  /** The texts of the message; or its payload, of which they are then taken. */
  texts?: string[];
  /** The `params`, `result` or `error`. */
  payload?: unknown;
  /** The `params` of the request that it answers. */
  request?: unknown;
}

/** What became of it. */
export interface Outcome {
  decision: Decision;
  /** Why it was refused, or what is asked. */
  reason?: string;
  patch?: PatchOp[];
  /** The texts afterwards. Patches are not applied. */
  texts: string[];
  /** The rules that fired. */
  rules: string[];
  findings: Finding[];
}

/** Configures the guardrail and lets it judge a message. What it does not want to see passes. */
export function judge(guardrail: Component, sample: Sample, config?: unknown): Outcome;

/** Runs the examples of its manifest, and throws at the first that fails. */
export function examplesHold(guardrail: Component, config?: unknown): void;
