import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { startExample } from "../support/example-process.js";
import { installLocked } from "../support/install-locked.js";
import { nextEvent } from "../support/next-event.js";

const folder = fileURLToPath(new URL("../../examples/nestjs/", import.meta.url));
const npm = (...args: string[]): Promise<{ stdout: string }> => promisify(execFile)("npm", args, { cwd: folder });

async function tokenOf(url: string, name: unknown): Promise<string | undefined> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${url}/login`, { method: "POST", headers, body: JSON.stringify({ name }) });
  return ((await response.json()) as { token?: string }).token;
}

describe("examples/nestjs", () => {
  beforeAll(async () => {
    await installLocked(folder);
    await npm("run", "build");
  });

  it.each(bothClients)("lets $name in with a token, and answers good and bad messages", async ({ open, connect }) => {
    const { url, stop } = await startExample("nestjs/dist/main.js");
    const [refused] = (await nextEvent(open(`${url}/chat`), "connect_error")) as [Error & { data: unknown }];
    expect(refused.message).toBe("log in first");
    expect(refused.data).toEqual({ statusCode: 401, message: "log in first", error: "Unauthorized" });

    const ada = await connect(`${url}/chat`, { auth: { token: await tokenOf(url, "ada") } });
    const bob = await connect(`${url}/chat`, { auth: { token: await tokenOf(url, "bob") } });
    const said = nextEvent(bob, "said");
    expect(await ada.emitWithAck("send", { text: "hello", by: "bob" })).toEqual({ ok: true });
    expect(await said).toEqual([{ by: "ada", text: "hello" }]);
    expect(await ada.emitWithAck("send", { text: 7 })).toMatchObject({
      status: "error",
      code: "SIO_INVALID_PAYLOAD",
      data: { message: expect.arrayContaining(["text must be a string"]) },
    });

    const lost = nextEvent(bob, "disconnect");
    expect(await stop()).toBe("SIGTERM");
    expect((await lost)[0]).toBe("transport close");
  });

  it("has a test of its own that passes without a port, and ends", { timeout: 120_000 }, async () => {
    expect((await npm("test")).stdout).toMatch(/# pass 2\n# fail 0/);
  });
});
