/**
 * Lines for the gateway's log, which carries the guardrail's name beside them. Under Node.js they go to standard error.
 * Never log what a message holds: the log is no secret. `configure` cannot log.
 */

/** The guardrail could not do its work. */
export function error(line: string): void;
/** Something that a person should look at. */
export function warn(line: string): void;
/** Something that a person may want to know. */
export function info(line: string): void;
/** For the author of the guardrail. */
export function debug(line: string): void;
