// What the gateway keeps for a guardrail. `state` in the names: they are those of the contract.

import * as state from "mcp-gateway:guardrail/state@0.1.0";

import { StateError } from "./errors.js";
import { decoded, encoded } from "./utf8.js";

export { StateError };

export function get(scope, key) {
  const value = state.get(scope, key);
  return value === undefined || value === null ? undefined : decoded(value);
}

export function set(scope, key, value, seconds) {
  kept(() => state.set(scope, key, encoded(value), seconds));
}

export function remove(scope, key) {
  return state.delete(scope, key);
}

export function increment(scope, key, by = 1, seconds) {
  return Number(kept(() => state.increment(scope, key, by, seconds)));
}

export function compareAndSwap(scope, key, expected, value, seconds) {
  const there = expected === undefined ? undefined : encoded(expected);
  return kept(() => state.compareAndSwap(scope, key, there, encoded(value), seconds));
}

function kept(call) {
  try {
    return call();
  } catch (refusal) {
    throw refusal.payload === undefined ? refusal : new StateError(refusal.payload.tag);
  }
}
