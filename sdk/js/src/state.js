// What the gateway keeps for a guardrail. `state` in the names: they are those of the contract.

import * as state from "mcp-gateway:guardrail/state@0.1.0";

export function get(scope, key) {
  const value = state.get(scope, key);
  return value === undefined || value === null ? undefined : new TextDecoder().decode(new Uint8Array(value));
}

export function set(scope, key, value, seconds) {
  state.set(scope, key, new TextEncoder().encode(value), seconds);
}

export function remove(scope, key) {
  return state.delete(scope, key);
}

export function increment(scope, key, by = 1, seconds) {
  return Number(state.increment(scope, key, BigInt(by), seconds));
}
