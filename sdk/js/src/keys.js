// Secret keys.

import * as keys from "mcp-gateway:guardrail/keys@0.1.0";

export function derive(scope, purpose) {
  return Uint8Array.from(keys.derive(scope, purpose));
}
