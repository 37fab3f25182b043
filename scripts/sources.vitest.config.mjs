// The same tests without the build in front of them: enough to list them, and to run those that use sources only.
import config from "../vitest.config.ts";

/** Who runs these seeds faults into the sources: a test that hangs because of one need not hang for long. */
const TIMEOUT_MS = 8_000;

const projects = config.test.projects.map((project) => ({
  ...project,
  test: { ...project.test, globalSetup: [], testTimeout: TIMEOUT_MS, hookTimeout: TIMEOUT_MS },
}));

export default { test: { projects } };
