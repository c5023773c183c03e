-- The audit database, version 1. Times are milliseconds since 1970 in UTC, durations
-- are microseconds, sizes are bytes. Tables are STRICT, so a value has the type that
-- its column says. Existing columns never change their meaning; new ones may come
-- with a new version (PRAGMA user_version).

-- What the database is: "id" (16 random bytes), "key_check" (tells whether the chain
-- is this installation's), and where the chain begins: "anchor_seq" and "anchor_hash"
-- are those of the last record before the first one here (0 and 32 zero bytes at
-- first, later the last record that went into an archive), "anchor_mac" proves them.
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- One row an exchange: a request of either side, from its start to its end. And one
-- for what stands alone: a guardrail that came into force, a gap in the journal.
CREATE TABLE records (
  -- The place in the chain: from 1, without a hole.
  seq            INTEGER PRIMARY KEY,
  -- When the request came.
  time           INTEGER NOT NULL,
  -- "call"; "guardrail" (one came into force: "method" says whether it was loaded or
  -- swapped, "subject" which it is, "arguments" its version and digest); or "gap" (what
  -- could not be written: see "reason").
  kind           TEXT NOT NULL,
  -- One client connection.
  session        TEXT NOT NULL,
  -- The number of the exchange in its session.
  exchange       INTEGER,
  -- What the client says it is.
  client         TEXT,
  client_version TEXT,
  -- The server, as the configuration names it. Absent if none was found to ask.
  server         TEXT,
  method         TEXT NOT NULL,
  -- The tool or prompt as the server calls it, or the URI of the resource.
  subject        TEXT,
  -- Which way the request goes: "to-server", or "to-client" for one of a server's.
  direction      TEXT NOT NULL,
  -- What was asked, a JSON text, as the guardrails left it: the arguments of a tool
  -- or prompt, or else all of "params".
  arguments      TEXT,
  -- "full", "masked" (what a guardrail found is covered), "hash" or "none".
  arguments_form TEXT NOT NULL,
  -- 1 if it was longer than what is kept, so that only its beginning is there.
  arguments_cut  INTEGER NOT NULL,
  -- What was answered, a JSON text: "result" or "error". Form and cut as above.
  result         TEXT,
  result_form    TEXT NOT NULL,
  result_cut     INTEGER NOT NULL,
  -- "ok", "tool-error" (the tool says that it failed), "protocol-error" (the answer
  -- is a JSON-RPC error), "blocked", "cancelled", "timed-out", "unavailable" (there
  -- is no answer, for a reason that is no guardrail's), "lost" (of a gap).
  outcome        TEXT NOT NULL,
  -- The guardrail that blocked it.
  blocked_by     TEXT,
  -- Why it is not "ok", in the gateway's words.
  reason         TEXT,
  -- From the request to the end; of that, what the answering side took, and what
  -- the guardrails took.
  duration       INTEGER NOT NULL,
  server_time    INTEGER NOT NULL,
  guardrail_time INTEGER NOT NULL,
  -- The messages as they came in.
  request_bytes  INTEGER NOT NULL,
  result_bytes   INTEGER NOT NULL,
  -- Keyed BLAKE3 of all above and of its findings, and of the record before.
  hash           BLOB NOT NULL
) STRICT;

-- What guardrails found and decided: one row for each rule in each place.
CREATE TABLE findings (
  seq       INTEGER NOT NULL,
  -- Counted from 1 in its record.
  number    INTEGER NOT NULL,
  guardrail TEXT NOT NULL,
  -- The SHA-256 of the component.
  digest    TEXT NOT NULL,
  -- Empty if the guardrail decided without naming one.
  rule      TEXT NOT NULL,
  count     INTEGER NOT NULL,
  -- The JSON Pointer in "params", "result" or "error"; empty if there is none.
  place     TEXT NOT NULL,
  -- What it was found in: "request", "response", "error" or "notification".
  message   TEXT NOT NULL,
  -- "pass", "redact", "patch", "block", "ask", "approved" (asked, and a person approved), or
  -- "fault" if it failed.
  decision  TEXT NOT NULL,
  -- 1 if that was carried out, 0 in warn mode.
  enforced  INTEGER NOT NULL,
  PRIMARY KEY (seq, number)
) STRICT, WITHOUT ROWID;

-- Wider than what they are ordered by, so that most questions are answered from them,
-- and rows are read only to be shown.
CREATE INDEX records_by_time ON records (time, outcome, server, client, method);
CREATE INDEX records_by_subject ON records (subject, time, method);
CREATE INDEX records_not_ok ON records (outcome, time) WHERE outcome <> 'ok';
CREATE INDEX findings_by_rule ON findings (rule, seq);

-- Calls of tools, to be read by people.
CREATE VIEW tool_calls AS
SELECT seq, strftime('%Y-%m-%dT%H:%M:%fZ', time / 1000.0, 'unixepoch') AS at,
       client, server, subject AS tool, outcome, blocked_by, reason,
       arguments, result, duration / 1000.0 AS ms,
       server_time / 1000.0 AS server_ms, guardrail_time / 1000.0 AS guardrail_ms, session
FROM records WHERE kind = 'call' AND method = 'tools/call';

-- Shaped like the table that the Python gateway wrote: a row for each content of a
-- result, what is in it as columns.
CREATE VIEW events AS
SELECT strftime('%Y-%m-%d %H:%M:%f', r.time / 1000.0, 'unixepoch') AS timestamp,
       r.session || '-' || r.seq AS call_id, r.session AS track_id,
       r.server AS server_name,
       CASE r.method WHEN 'tools/call' THEN 'tool' WHEN 'prompts/get' THEN 'prompt'
            WHEN 'resources/read' THEN 'resource' ELSE r.method END AS capability_type,
       r.subject AS capability_name, r.arguments,
       CASE r.method WHEN 'tools/call' THEN 'CallToolResult' WHEN 'prompts/get' THEN 'GetPromptResult'
            WHEN 'resources/read' THEN 'tuple' ELSE 'unknown' END AS response_type,
       CASE WHEN r.outcome = 'ok' THEN 0 ELSE 1 END AS isError,
       CASE WHEN json_valid(r.result) THEN json_extract(r.result, '$.structuredContent') END AS structuredContent,
       content.value ->> '$.type' AS content_type,
       coalesce(content.value ->> '$.text', content.value ->> '$.content.text') AS content_text,
       coalesce(content.value ->> '$.mimeType', content.value ->> '$.resource.mimeType') AS content_mimeType,
       content.value ->> '$.annotations' AS content_annotations,
       r.outcome, r.seq
FROM records AS r
LEFT JOIN json_each(CASE WHEN json_valid(r.result) THEN coalesce(json_extract(r.result, '$.content'),
            json_extract(r.result, '$.contents'), json_extract(r.result, '$.messages')) END) AS content
WHERE r.kind = 'call' AND r.direction = 'to-server';
