import assert from "node:assert/strict";
import test from "node:test";

import { examplesHold, judge } from "mcp-gateway-sdk/testing";

import { guardrail } from "../src/index.js";
import { destruction } from "../src/statement.js";

test("what destroys is found wherever it stands", () => {
  for (const [statement, rule] of [
    ["DROP TABLE users", "drop"],
    ["select 1; drop  database main", "drop"],
    ["alter table a drop column b", "drop"],
    ["/* x */ truncate t", "truncate"],
    ["TRUNCATE TABLE t;", "truncate"],
    ["delete from users", "delete-without-where"],
    ["DELETE FROM users -- WHERE id = 1", "delete-without-where"],
    ["delete from users /* where */", "delete-without-where"],
    ["with old as (select 1) delete from users", "delete-without-where"],
    ["update users set name = 'where'", "update-without-where"],
    ["UPDATE ONLY users AS u SET a = 1", "update-without-where"],
    ["/*!50000 DROP TABLE a */", "drop"],
  ]) {
    assert.deepEqual(destruction(statement), [rule], statement);
  }
});

test("what does not is left alone", () => {
  for (const text of [
    "DELETE FROM users WHERE id = 1",
    "update users set a = 1 where b = 2",
    "select 'drop table users'",
    "insert into log values ('it''s; drop table x')",
    'select "delete from" from t',
    "-- drop table a\nselect 1",
    "Please update the docs and delete the draft.",
    "drop me a line",
    "",
  ]) {
    assert.deepEqual(destruction(text), [], text);
  }
});

test("a rule can be allowed", () => {
  const sample = { direction: "to-server", texts: ["truncate t"] };
  assert.equal(judge(guardrail, sample).reason, "the statement empties a table");
  assert.equal(judge(guardrail, sample, { allow: ["truncate"] }).decision, "pass");
  assert.throws(() => judge(guardrail, sample, { allow: ["x"] }), /no rule "x"/);
});

test("its examples hold", () => {
  examplesHold(guardrail);
  examplesHold(guardrail, { allow: ["drop"] });
});
