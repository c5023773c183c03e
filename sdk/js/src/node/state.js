// What stands in for the gateway's stores in a test: values stay until they are removed, whatever their seconds.

import { StateError } from "../errors.js";

export { StateError };

const stores = { session: new Map(), global: new Map() };

export function get(scope, key) {
  return stores[scope].get(key);
}

export function set(scope, key, value) {
  stores[scope].set(key, value);
}

export function remove(scope, key) {
  return stores[scope].delete(key);
}

export function increment(scope, key, by = 1) {
  const sum = Number(stores[scope].get(key) ?? 0) + by;
  if (!Number.isSafeInteger(sum)) throw new StateError("not-a-number");
  stores[scope].set(key, String(sum));
  return sum;
}

export function compareAndSwap(scope, key, expected, value) {
  const same = stores[scope].get(key) === expected;
  if (same) stores[scope].set(key, value);
  return same;
}
