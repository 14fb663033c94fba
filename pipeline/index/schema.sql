-- What the names in the store say, in an order that can be searched. Everything here can be made anew from the
-- store; nothing here says more than the names do. `flags` is 1 for a clock that was unsure, plus 2 for unfinished.
CREATE TABLE IF NOT EXISTS stream (
  id INTEGER PRIMARY KEY,
  camera TEXT NOT NULL,
  stream TEXT NOT NULL,
  UNIQUE (camera, stream)
) STRICT;

-- Ordered as it is asked: a day of a stream lies together, without a second tree beside the table.
CREATE TABLE IF NOT EXISTS segment (
  stream INTEGER NOT NULL,
  start_ms INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  kept_until_ms INTEGER NOT NULL,
  PRIMARY KEY (stream, start_ms, seq)
) STRICT, WITHOUT ROWID;

-- Segments of an unsure clock are aged by their sequence: there are few.
CREATE INDEX IF NOT EXISTS segment_unsure ON segment (stream, seq) WHERE flags & 1;

CREATE TABLE IF NOT EXISTS gap (
  stream INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (stream, at_ms, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS hold (
  camera TEXT NOT NULL,
  from_ms INTEGER NOT NULL,
  to_ms INTEGER NOT NULL,
  made_ms INTEGER NOT NULL,
  PRIMARY KEY (camera, from_ms, to_ms, made_ms)
) STRICT, WITHOUT ROWID;

-- Kept by the triggers below. `longest_ms` never shrinks: it only bounds how far back an overlap can begin.
CREATE TABLE IF NOT EXISTS total (
  stream INTEGER PRIMARY KEY,
  segments INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  recorded_ms INTEGER NOT NULL,
  longest_ms INTEGER NOT NULL
) STRICT;
