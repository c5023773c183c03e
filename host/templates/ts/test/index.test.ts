import assert from "node:assert/strict";
import test from "node:test";

import { examplesHold, judge } from "mcp-gateway-sdk/testing";

import { guardrail } from "../src/index.ts";

test("the name is hidden wherever it stands", () => {
  const { texts } = judge(guardrail, { texts: ["BLUEBIRD-7 of BLUEBIRD", "bluebird"] });
  assert.deepEqual(texts, ["<CODENAME>-7 of <CODENAME>", "bluebird"]);
});

test("its examples hold", () => examplesHold(guardrail));
