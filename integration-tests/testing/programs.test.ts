import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

/** How long a program may take: a guard. Timers that would hold up its end take longer than what is left of it. */
const GUARD_MS = 15_000;

async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
  // Without what the test runner says to programs of its own.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const cwd = pathOf("..");
  const child = spawn(process.execPath, args, { cwd, env, timeout: GUARD_MS, killSignal: "SIGKILL" });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: code as number | null, output: stdout + stderr };
}

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

describe("a process", () => {
  it.each([
    ["clients-first", "polling"],
    ["clients-first", "websocket"],
    ["clients-first", "polling websocket"],
    ["server-first", "polling"],
    ["server-first", "polling websocket"],
    ["all-clients", "polling websocket"],
  ])("ends by itself when clients and server were closed: %s, over %s", async (order, transports) => {
    expect(await run(pathOf("fixtures/leaving.mjs"), order, ...transports.split(" "))).toEqual({
      code: 0,
      output: "hello\nhello\nhello\nover\n",
    });
  });

  it("runs the program of the documentation, and ends", async () => {
    const page = await readFile(pathOf("../../packages/testing/README.md"), "utf8");
    const program = /^```js chat\.test\.js\n([^]*?)^```$/m.exec(page)?.[1] ?? "";
    const { code, output } = await run("--test-reporter=tap", "--input-type=module", "--eval", program);
    expect(output).toMatch(/^# pass 1$/m);
    expect(code).toBe(0);
  });

  it("runs the example with the test runner of Node, and ends", async () => {
    const { code, output } = await run(
      "--test",
      "--test-reporter=tap",
      pathOf("../../examples/bare-node/testing.test.js"),
    );
    expect(output).toMatch(/^# pass 4$/m);
    expect(output).toMatch(/^# fail 0$/m);
    expect(code).toBe(0);
  });
});
