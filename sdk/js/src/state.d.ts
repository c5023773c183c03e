/**
 * Values that the gateway keeps for a guardrail; they outlive instances, faults and swaps. The configuration has to
 * grant it, `grant = { state = true }`, and the guardrail's world has to import it (`import state;`). Under Node.js
 * values are kept in the process, whatever their seconds. What the gateway refuses to keep is a {@link StateError}.
 */

/** How far a value reaches: the client's session, or all sessions of the gateway. */
export type Scope = "session" | "global";

/** Something is not kept: there is no room, the key or the value is too long, or what is there is no number. */
export class StateError extends Error {
  readonly reason: "full" | "too-large" | "not-a-number";
}

/** The value of a key. */
export function get(scope: Scope, key: string): string | undefined;
/** Sets a value, for as long as the store lasts or for some seconds. */
export function set(scope: Scope, key: string, value: string, seconds?: number): void;
/** Removes a value. Says whether there was one. */
export function remove(scope: Scope, key: string): boolean;
/** Adds to a number, which counts from 0, and gives the sum. The seconds run from the first call. */
export function increment(scope: Scope, key: string, by?: number, seconds?: number): number;
/**
 * Sets a value if what is there is what is expected: this value, or nothing where that is `undefined`. Says whether it
 * did; if not, all is as it was.
 */
export function compareAndSwap(
  scope: Scope,
  key: string,
  expected: string | undefined,
  value: string,
  seconds?: number,
): boolean;
