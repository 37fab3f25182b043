import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installApp, type InstalledApp } from "../drop-in/installed-app.js";
import { programs } from "./programs.js";
import { installRuntimes, isServedPlatform, jest, nodeLines, nodeOf } from "./runtimes.js";

let app: InstalledApp;

beforeAll(async () => {
  [app] = await Promise.all([installApp(), installRuntimes()]);
}, 300_000);

afterAll(() => app?.remove());

// Where no package brings Node, the version at hand is all there is: other machines of CI do the rest.
describe.runIf(isServedPlatform).each(nodeLines)("on Node $line an application", { timeout: 60_000 }, (node) => {
  it("runs on the version that is meant", async () => {
    expect((await app.run(nodeOf(node.line), "--version")).stdout).toBe(`${node.version}\n`);
  });

  it.each(programs)("$does", async ({ args, prints }) => {
    const { code, stdout, stderr } = await app.run(nodeOf(node.line), ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual(prints);
  });
});

describe("under Jest an application", { timeout: 60_000 }, () => {
  it("requires the CommonJS builds, call by call what its tests in *.jest.cjs say", async () => {
    const config = { rootDir: app.folder, testMatch: ["**/*.jest.cjs"], transform: {} };
    const { code, stderr } = await app.node(jest, "--ci", "--runInBand", "--config", JSON.stringify(config));
    expect(stderr).toMatch(/^Tests: +[1-9]\d* passed, [1-9]\d* total$/m);
    expect(code).toBe(0);
  });
});
