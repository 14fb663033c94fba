/** Names of stored files, as docs/format.md section 3 has them. Pure; one spelling each. */

const PATH =
  /^([a-z0-9][a-z0-9_-]{0,47})\/([a-z0-9][a-z0-9_-]{0,47})\/([0-9]{4}-[0-9]{2}-[0-9]{2})\/([0-9]{2})\/([^/]+)$/;
const COUNT = "(0|[1-9][0-9]{0,14})";
const STORED = new RegExp(
  `^${COUNT}\\+(0|[1-9][0-9]{0,7})\\.${COUNT}(?:\\.(c|u|cu))?(?:\\.k([1-9][0-9]{0,14}))?\\.(mp4|json|jpg)\\.age$`,
);
const LAST_MS = 253_402_300_799_999;

/** Where a file lies, and all that its name says. Times are UTC milliseconds. */
export interface StoredName {
  readonly camera: string;
  readonly stream: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly sequence: number;
  readonly clockUnsure: boolean;
  /** Flag u: opened by `salvage` only. */
  readonly unfinished: boolean;
  readonly kind: "mp4" | "json" | "jpg";
}

/** What a path relative to the store says; null for whatever is no such path, or in the wrong hour's folder. */
export function parseStoredPath(path: string): StoredName | null {
  const [, camera, stream, day, hour, file] = PATH.exec(path) ?? [];
  if (camera === undefined || stream === undefined || file === undefined) return null;
  const name = parseFileName(file);
  if (name === null || `${day ?? ""}T${hour ?? ""}` !== hourOf(name.startMs)) return null;
  return { camera, stream, ...name };
}

function parseFileName(file: string): Omit<StoredName, "camera" | "stream"> | null {
  const [, start, duration, sequence, flags, kept, kind] = STORED.exec(file) ?? [];
  const startMs = Number(start);
  if (!isKind(kind) || startMs > LAST_MS || Number(kept ?? 0) > LAST_MS) return null;
  return {
    startMs,
    durationMs: Number(duration),
    sequence: Number(sequence),
    clockUnsure: flags?.includes("c") ?? false,
    unfinished: flags?.includes("u") ?? false,
    kind,
  };
}

function isKind(text: string | undefined): text is StoredName["kind"] {
  return text === "mp4" || text === "json" || text === "jpg";
}

function hourOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 13);
}
