-- Run after the schema; a rebuild runs it only when all rows are in.
INSERT OR REPLACE INTO total
  SELECT stream, count(*), sum(bytes), sum(duration_ms), max(duration_ms) FROM segment GROUP BY stream;

CREATE TRIGGER IF NOT EXISTS segment_added AFTER INSERT ON segment BEGIN
  INSERT INTO total VALUES (new.stream, 1, new.bytes, new.duration_ms, new.duration_ms)
    ON CONFLICT (stream) DO UPDATE SET
      segments = segments + 1, bytes = bytes + new.bytes, recorded_ms = recorded_ms + new.duration_ms,
      longest_ms = max(longest_ms, new.duration_ms);
END;

CREATE TRIGGER IF NOT EXISTS segment_changed AFTER UPDATE ON segment BEGIN
  UPDATE total SET
      bytes = bytes + new.bytes - old.bytes, recorded_ms = recorded_ms + new.duration_ms - old.duration_ms,
      longest_ms = max(longest_ms, new.duration_ms)
    WHERE stream = new.stream;
END;

CREATE TRIGGER IF NOT EXISTS segment_removed AFTER DELETE ON segment BEGIN
  UPDATE total SET
      segments = segments - 1, bytes = bytes - old.bytes, recorded_ms = recorded_ms - old.duration_ms
    WHERE stream = old.stream;
END;

PRAGMA user_version = 1;
