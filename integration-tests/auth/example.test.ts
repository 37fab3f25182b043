import { expect, it } from "vitest";
import { startExample } from "../support/example-process.js";
import { nextEvent } from "../support/next-event.js";
import { open, oursOverWebSocket, stockOverPolling, stockOverWebSocket, type ConnectError } from "./clients.js";

/** Half of it is long enough to renew, on a busy machine too. */
const start = () => startExample("bare-node/credentials.js", { env: { TOKEN_LIFETIME_MS: "5000" } });

async function post(url: string): Promise<{ status: number; token: string; session: string }> {
  const response = await fetch(url, { method: "POST" });
  return { status: response.status, ...((await response.json()) as { token: string; session: string }) };
}

it.each([stockOverPolling, oursOverWebSocket])(
  "examples/bare-node/credentials.js keeps $name until the logout",
  async (kind) => {
    const { url } = await start();
    const { session } = await post(url + "/login?user=ada");
    const auth = (give: (auth: object) => void): void =>
      void post(`${url}/refresh?session=${session}`).then(({ token }) => give({ token }));
    const client = open(kind, url, { auth });
    // Ours answers by itself.
    if (kind.isStock) client.on("auth:expiring", (_details, answer) => auth(answer));
    await nextEvent(client, "connect");
    const { id } = client;
    await nextEvent(client, "auth:expiring");
    await nextEvent(client, "auth:expiring");
    const who = (await client.emitWithAck("whoami")) as { user: string; session: string };
    expect(who).toMatchObject({ user: "ada", session });
    expect(client.id).toBe(id);

    const refused = nextEvent<[ConnectError]>(client, "connect_error");
    expect((await post(`${url}/logout?session=${session}`)).status).toBe(200);
    expect((await refused)[0].data?.code).toBe("SIO_UNAUTHORIZED");
    expect(client.active).toBe(false);
    expect((await post(`${url}/logout?session=${session}`)).status).toBe(401);
    expect((await post(url + "/elsewhere")).status).toBe(404);
  },
);

it.each(["SIGINT", "SIGTERM"] as const)("examples/bare-node/credentials.js ends on %s", async (signal) => {
  const { url, stop } = await start();
  const { token } = await post(url + "/login?user=ada");
  await nextEvent(open(stockOverWebSocket, url, { auth: { token }, reconnection: false }), "connect");
  expect(await stop(signal)).toBe(0);
});
