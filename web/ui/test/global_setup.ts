/** Has the recorder's own code write what the tests open, into a folder that is removed afterwards. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestProject } from "vitest/node";

const UI = resolve(import.meta.dirname, "..");

declare module "vitest" {
  export interface ProvidedContext {
    fixtures: string;
  }
}

export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "nvr-ui-"));
  const python = process.env["NVR_PYTHON"] ?? join(UI, "../../.venv/bin/python");
  execFileSync(python, [join(UI, "test/make_fixtures.py"), folder], {
    cwd: join(UI, "../.."),
    env: { ...process.env, PYTHONPATH: join(UI, "../..") },
    stdio: "inherit",
  });
  project.provide("fixtures", folder);
  return () => {
    rmSync(folder, { recursive: true, force: true });
  };
}
