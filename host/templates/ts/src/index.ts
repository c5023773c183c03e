// Hides the name of an internal project.

import { define } from "mcp-gateway-sdk";

export const guardrail = define({
  name: "my-guardrail",
  version: "0.1.0",
  description: "Hides the name of an internal project.",
  examples: [{ texts: ["BLUEBIRD 2"], expects: "redact", after: ["<CODENAME> 2"] }],

  check(message, verdict) {
    for (const text of message.texts) {
      verdict.maskAll(text, /BLUEBIRD/g, "codename", "<CODENAME>");
    }
  },
});
