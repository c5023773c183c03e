// Does what it is told, by all that the SDK has.

import { define } from "mcp-gateway-sdk";
import * as http from "mcp-gateway-sdk/http";
import * as keys from "mcp-gateway-sdk/keys";
import * as log from "mcp-gateway-sdk/log";
import * as state from "mcp-gateway-sdk/state";

export const guardrail = define({
  name: "all",
  version: "0.1.0",
  description: "Does what it is told.",
  wants: [{ methods: ["tools/*"], kinds: ["request", "response"], directions: ["to-server", "to-client"] }],
  configSchema: { type: "object" },
  examples: [
    { texts: ["SECRET é"], expects: "redact", after: ["<S> é"] },
    { direction: "to-server", texts: ["block"], expects: "block" },
  ],
  check(message, verdict) {
    for (const text of message.texts) {
      verdict.maskAll(text, /SECRET/g, "secret", "<S>");
      verdict.maskAll(text, /SECRET-LONG/g, { id: "long", confidence: 0.5, note: "a remark" }, () => "<L>");
      for (const { index } of text.value.matchAll(/MARK/g)) verdict.mark(text, index, index + 4, "mark");
      const told = tasks[text.value];
      if (told) told(verdict, message, text);
      if (text.value.startsWith("post ")) post(verdict, ...text.value.split(" ").slice(1));
    }
  },
});

const tasks = {
  note: (verdict) => verdict.note("noted"),
  block: (verdict) => verdict.block("as told"),
  ask: (verdict) => verdict.ask("may it?"),
  fail: () => {
    throw "it cannot";
  },
  envelope: (verdict, { server, method, kind, direction, subject = "" }) =>
    verdict.block(`${server} ${method} ${kind} ${direction} ${subject}`),
  place: (verdict, message, text) => {
    const { pointer, role } = message.place(text);
    verdict.block(`${pointer} ${role}`);
  },
  value: (verdict, message) => {
    const more = message.value("/content/1") === undefined ? "no more" : "more";
    verdict.block(`type ${message.value("/content/0/type")}, ${more}`);
  },
  payload: (verdict, message) => verdict.block(`${message.payload().content.length} content`),
  request: (verdict, message) => verdict.block(message.request()?.name ?? "none"),
  earlier: (verdict, message) => {
    for (const { guardrail, rule } of message.earlierFindings()) verdict.block(`${guardrail} found ${rule}`);
  },
  elapsed: (verdict, message) => {
    if (message.elapsed() > 0) verdict.block("some time passed");
  },
  add: (verdict) => verdict.add("/b", ["é"]),
  replace: (verdict) => verdict.replace("/a", 7),
  remove: (verdict) => verdict.remove("/a"),
  count: (verdict) => verdict.block(`counted ${state.increment("session", "n", 2, 60)}`),
  keep: (verdict) => {
    state.set("session", "k", "kept é", 60);
    verdict.block(state.get("session", "k"));
  },
  forget: (verdict) => {
    verdict.block(state.remove("session", "k") ? "forgotten" : "never known");
  },
  swap: (verdict) => {
    const swap = (expected, value) => state.compareAndSwap("session", "s", expected, value, 60);
    const swapped = [swap("one", "two"), swap(undefined, "one"), swap(undefined, "three"), swap("one", "two é")];
    verdict.block(`${swapped.join(" ")} ${state.get("session", "s")}`);
  },
  tell: (verdict) => {
    state.set("global", "g", "told");
    verdict.block("told all");
  },
  hear: (verdict) => verdict.block(`heard ${state.get("global", "g") ?? "nothing"}`),
  key: (verdict) => verdict.block(["p", "p", "q"].map((purpose) => hex(keys.derive("session", purpose))).join(" ")),
  log: () => ["error", "warn", "info", "debug"].forEach((level) => log[level](`${level} é`)),
};

function post(verdict, url, ...words) {
  const body = words.join(" ");
  try {
    const answer = http.send({ method: "POST", url, headers: { "x-guardrail": "all" }, body, patience: 5 });
    const start = answer.text().slice(0, 40);
    verdict.block(`${answer.status} ${answer.header("x-answer")} ${answer.bytes.length} ${start}`);
  } catch (error) {
    verdict.block(`${error.kind}: ${error.message}`);
  }
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
