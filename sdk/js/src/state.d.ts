/**
 * Values that the gateway keeps for a guardrail; they outlive instances, faults and swaps. The configuration has to
 * grant it, `grant = { state = true }`, and the guardrail's world has to import it (`import state;`). Under Node.js
 * values are kept in the process. What the gateway refuses to keep is thrown.
 */

/** How far a value reaches: the client's session, or all sessions of the gateway. */
export type Scope = "session" | "global";

/** The value of a key. */
export function get(scope: Scope, key: string): string | undefined;
/** Sets a value, for as long as the store lasts or for some seconds. */
export function set(scope: Scope, key: string, value: string, seconds?: number): void;
/** Removes a value. Says whether there was one. */
export function remove(scope: Scope, key: string): boolean;
/** Adds to a number, which counts from 0, and gives the sum. The seconds run from the first call. */
export function increment(scope: Scope, key: string, by?: number, seconds?: number): number;
