import assert from "node:assert/strict";
import test from "node:test";

import { define, onlyKeys } from "mcp-gateway-sdk";
import * as http from "mcp-gateway-sdk/http";
import * as keys from "mcp-gateway-sdk/keys";
import * as state from "mcp-gateway-sdk/state";
import { examplesHold, judge } from "mcp-gateway-sdk/testing";

import { address } from "../src/request.js";

const about = { name: "a", version: "1.0.0", description: "A test." };
const hides = (pattern, rule = "name", by = "<X>") =>
  define({
    ...about,
    check(message, verdict) {
      for (const text of message.texts) verdict.maskAll(text, pattern, rule, by);
    },
  });

test("places are counted in bytes, whatever the characters", () => {
  const texts = ["é😀 NAME ü NAME", "", "żółć", "𝄞NAME", "NAME"];
  const { texts: after, findings } = judge(hides(/NAME/g), { texts });
  assert.deepEqual(after, ["é😀 <X> ü <X>", "", "żółć", "𝄞<X>", "<X>"]);
  assert.deepEqual(findings[0].where, { start: 7, end: 11 });
});

test("a place inside a character is an error", () => {
  const cuts = define({
    ...about,
    check: (message, verdict) => verdict.mask(message.texts[0], 0, 1, "cut", ""),
  });
  assert.throws(() => judge(cuts, { texts: ["😀"] }), /inside a character/);
});

test("a place beyond its text is an error", () => {
  const beyond = define({
    ...about,
    check: (message, verdict) => verdict.mask(message.texts[0], 1, 4, "beyond", ""),
  });
  assert.throws(() => judge(beyond, { texts: ["abc", "def"] }), /no part of a text/);
});

test("masks that overlap become one, with the rule of the longest", () => {
  const both = define({
    ...about,
    check(message, verdict) {
      const [text] = message.texts;
      verdict.mask(text, 4, 7, "short", "S");
      verdict.mask(text, 0, 5, "long", "L");
      verdict.mark(text, 6, 8, "mark");
      verdict.mark(text, 8, 9, "beside");
    },
  });
  const { texts, rules } = judge(both, { texts: ["0123456789"] });
  assert.deepEqual(texts, ["L789"]);
  assert.deepEqual(rules, ["long", "beside", "short", "mark"]);
});

test("to block goes before masks", () => {
  const blocks = define({
    ...about,
    check(message, verdict) {
      verdict.mask(message.texts[0], 0, 1, "mask", "");
      verdict.block("no");
      verdict.block("never");
    },
  });
  assert.deepEqual(judge(blocks, { texts: ["a"] }).decision, "block");
  assert.deepEqual(judge(blocks, { texts: ["a"] }).reason, "no");
});

test("the payload can be changed", () => {
  const drops = define({
    ...about,
    wants: [{ methods: ["tools/*"] }],
    check(message, verdict) {
      message.value("/tools").forEach(({ name }, index) => name === "rm" && verdict.remove(`/tools/${index}`));
    },
  });
  const payload = { tools: [{ name: "ls" }, { name: "rm" }] };
  assert.deepEqual(judge(drops, { method: "tools/list", payload }).patch, [{ tag: "remove", val: "/tools/1" }]);
  assert.equal(judge(drops, { method: "prompts/list", payload }).decision, "pass");
});

test("a configuration is taken, or refused by the key", () => {
  const configured = define({
    ...about,
    configure(config) {
      onlyKeys(config, ["name"]);
      return new RegExp(config.name, "g");
    },
    examples: (pattern) => [{ texts: [pattern.source], expects: "redact", after: ["*"] }],
    check: (message, verdict, pattern) => message.texts.forEach((text) => verdict.maskAll(text, pattern, "n", "*")),
  });
  examplesHold(configured, { name: "x" });
  assert.throws(() => configured.configure('{"nmae":"x"}'), /unknown key "nmae": it takes name/);
  assert.throws(() => hides(/a/g).configure('{"a":1}'), /unknown key "a": it takes no configuration/);
});

test("an example that does not hold is told", () => {
  const wrong = define({ ...about, examples: [{ texts: ["a"], expects: "block" }], check() {} });
  assert.throws(() => examplesHold(wrong), /example 1: pass/);
});

test("a test can keep state", () => {
  assert.equal(state.increment("session", "calls"), 1);
  assert.equal(state.increment("session", "calls", 2), 3);
  assert.equal(state.get("global", "calls"), undefined);
  state.set("session", "word", "w");
  assert.throws(() => state.increment("session", "word"), { name: "StateError", reason: "not-a-number" });
});

test("a value is swapped for what is expected only", () => {
  const swap = (expected, value) => state.compareAndSwap("session", "s", expected, value);
  assert.equal(swap("one", "two"), false);
  assert.equal(swap(undefined, "one"), true);
  assert.equal(swap(undefined, "three"), false);
  assert.equal(swap("one", "two"), true);
  assert.equal(state.get("session", "s"), "two");
});

test("a test has keys, too", () => {
  const key = keys.derive("session", "p");
  assert.equal(key.length, 32);
  assert.deepEqual(keys.derive("session", "p"), key);
  assert.notDeepEqual(keys.derive("session", "q"), key);
});

test("an address is taken apart as it is written", () => {
  for (const [url, secure, authority, path] of [
    ["https://a.example", true, "a.example", "/"],
    ["http://a:1/b/c?d#e", false, "a:1", "/b/c?d"],
    ["https://a?b/c", true, "a", "/?b/c"],
  ]) {
    assert.deepEqual(address(url), { secure, authority, path });
  }
  for (const url of ["ftp://a", "a.example/b", "https:///b"]) {
    assert.throws(() => http.send({ url }), { name: "HttpError", kind: "refused" });
  }
});

test("nobody is reached outside of a gateway", () => {
  const error = { name: "HttpError", kind: "unreachable", message: /a\.example is not reached/ };
  assert.throws(() => http.send({ url: "https://a.example/b" }), error);
});
