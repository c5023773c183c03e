// Refuses SQL statements that destroy.

import { define, onlyKeys } from "mcp-gateway-sdk";

import { destruction, RULES } from "./statement.js";

export const guardrail = define({
  name: "sql",
  version: "0.1.0",
  description: "Refuses SQL statements that destroy: DROP, TRUNCATE, and DELETE or UPDATE without WHERE.",
  wants: [{ methods: ["tools/call"], kinds: ["request"] }],
  configSchema: {
    type: "object",
    properties: { allow: { type: "array", items: { enum: Object.keys(RULES) } } },
    additionalProperties: false,
  },
  examples: (allowed) => [
    { direction: "to-server", texts: ["DELETE FROM users WHERE id = 7"], expects: "pass" },
    { direction: "to-server", texts: ["drop table users"], expects: allowed.has("drop") ? "pass" : "block" },
  ],

  configure(config) {
    onlyKeys(config, ["allow"]);
    const { allow = [] } = config;
    if (!Array.isArray(allow)) throw "allow has to be a list of rules";
    for (const rule of allow) {
      if (!RULES[rule]) throw `allow: there is no rule "${rule}" (rules: ${Object.keys(RULES).join(", ")})`;
    }
    return new Set(allow);
  },

  check(message, verdict, allowed) {
    for (const text of message.texts) {
      for (const rule of destruction(text.value)) {
        if (allowed.has(rule)) continue;
        verdict.mark(text, 0, text.value.length, rule);
        verdict.block(`the statement ${RULES[rule]}`);
      }
    }
  },
});
