-- What guardrails keep for all sessions, version 1. Times are milliseconds since 1970 in
-- UTC, sizes are bytes. Nothing in it can be read without the installation's secret:
-- names are keyed hashes, and values are sealed.

-- What the database is: "id" (16 random bytes) and "key_check" (tells whether it was made
-- with this installation's secret).
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- One row a guardrail of a configuration.
CREATE TABLE stores (
  id      INTEGER PRIMARY KEY,
  -- The keyed hash of the configuration and of the guardrail's name in it.
  owner   BLOB NOT NULL UNIQUE,
  -- How many entries it has.
  entries INTEGER NOT NULL DEFAULT 0,
  -- The size of all of them.
  bytes   INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE entries (
  id    INTEGER PRIMARY KEY,
  store INTEGER NOT NULL REFERENCES stores,
  -- The keyed hash of the key.
  name  BLOB NOT NULL,
  -- Of the key and the value.
  size  INTEGER NOT NULL,
  -- When it is gone; NULL if it stays.
  until INTEGER,
  -- A nonce, the value in ChaCha20, and the tag of Poly1305.
  value BLOB NOT NULL,
  UNIQUE (store, name)
) STRICT;

CREATE INDEX due ON entries (store, until) WHERE until IS NOT NULL;
