/**
 * Secret keys, for tokens that nobody else can make or link. They are derived from a secret of the installation, which no
 * guardrail sees; no two guardrails have a key in common. The configuration has to grant it, `grant = { keys = true }`,
 * and the guardrail's world has to import it (`import mcp-gateway:guardrail/keys@0.1.0;`). Examples, and Node.js, have
 * keys of a secret that is none. `configure` cannot derive keys.
 */

import type { Scope } from "./state.js";

/**
 * The key for a purpose: 32 bytes. Another purpose has an unrelated key. For `session` it is of this session alone; for
 * `global` it stays the same, in all sessions and after the gateway was started anew.
 */
export function derive(scope: Scope, purpose: string): Uint8Array;
