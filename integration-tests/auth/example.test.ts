import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { clients, open, type ConnectError } from "./clients.js";

const program = fileURLToPath(new URL("../../examples/bare-node/credentials.js", import.meta.url));

let child: ChildProcess;
let url: string;

beforeEach(async () => {
  child = spawn(process.execPath, [program], {
    env: { ...process.env, PORT: "0", TOKEN_LIFETIME_MS: "5000" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout!.setEncoding("utf8"), "data")) as [string];
  url = line.trim();
});
afterEach(() => {
  child.kill("SIGKILL");
});

async function post(path: string): Promise<{ status: number; token: string; session: string }> {
  const response = await fetch(url + path, { method: "POST" });
  return { status: response.status, ...((await response.json()) as { token: string; session: string }) };
}

it.each([clients[0], clients[3]])(
  "examples/bare-node/credentials.js keeps $client over $transport until the logout",
  async (kind) => {
    const { session } = await post("/login?user=ada");
    const auth = (give: (auth: object) => void): void =>
      void post(`/refresh?session=${session}`).then(({ token }) => give({ token }));
    const client = open(kind, url, { auth });
    // Ours answers by itself.
    if (kind.client === "socket.io-client") client.on("auth:expiring", (_details, answer) => auth(answer));
    await nextEvent(client, "connect");
    const { id } = client;
    await nextEvent(client, "auth:expiring");
    await nextEvent(client, "auth:expiring");
    const who = (await client.emitWithAck("whoami")) as { user: string; session: string };
    expect(who).toMatchObject({ user: "ada", session });
    expect(client.id).toBe(id);

    const refused = nextEvent<[ConnectError]>(client, "connect_error");
    expect((await post(`/logout?session=${session}`)).status).toBe(200);
    expect((await refused)[0].data?.code).toBe("SIO_UNAUTHORIZED");
    expect(client.active).toBe(false);
    expect((await post(`/logout?session=${session}`)).status).toBe(401);
    expect((await post("/elsewhere")).status).toBe(404);
  },
);

it.each(["SIGINT", "SIGTERM"] as const)("examples/bare-node/credentials.js ends on %s", async (signal) => {
  const { token } = await post("/login?user=ada");
  await nextEvent(open(clients[1], url, { auth: { token }, reconnection: false }), "connect");
  const exit = once(child, "exit");
  child.kill(signal);
  expect(await exit).toEqual([0, null]);
});
