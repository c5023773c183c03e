// What the gateway keeps for a guardrail. `state` in the names: they are those of the contract.

import * as state from "mcp-gateway:guardrail/state@0.1.0";

export function get(scope, key) {
  const value = state.get(scope, key);
  return value === undefined || value === null ? undefined : decoded(value);
}

export function set(scope, key, value, seconds) {
  state.set(scope, key, encoded(value), seconds);
}

export function remove(scope, key) {
  return state.delete(scope, key);
}

export function increment(scope, key, by = 1, seconds) {
  return Number(state.increment(scope, key, by, seconds));
}

// UTF-8 in a place that has no TextEncoder.
function encoded(text) {
  return Uint8Array.from(unescape(encodeURIComponent(text)), (byte) => byte.charCodeAt(0));
}

function decoded(bytes) {
  return decodeURIComponent(escape(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")));
}
