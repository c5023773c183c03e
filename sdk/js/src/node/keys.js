// What stands in for the gateway's keys in a test: the same in each.

import { hkdfSync } from "node:crypto";

export function derive(scope, purpose) {
  return new Uint8Array(hkdfSync("sha256", "no secret", "", `${scope} ${purpose}`, 32));
}
