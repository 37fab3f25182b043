import type { IncomingMessage } from "node:http";
import { expect, it } from "vitest";
import type { ListeningServer } from "../../support/listening-server.js";
import { nextEvent } from "../../support/next-event.js";
import { clientSuite } from "../support/client-suite.js";

const FUTURE = "Wed, 01 Jan 2110 00:00:00 GMT";
const PAST = "Thu, 01 Jan 1970 00:00:00 GMT";

clientSuite("cookies", ({ client, startEngineServer, openEngine }) => {
  /** Sets cookies with the first answer; resolves, when `count` requests have come, with the cookies of each. */
  function cookiesOf(server: ListeningServer, count: number, ...setCookie: string[]): Promise<unknown[]> {
    server.io.engine.on("initial_headers", (headers: Record<string, unknown>) => {
      headers["set-cookie"] = setCookie;
    });
    const seen: unknown[] = [];
    return new Promise((resolve) => {
      const onRequest = (request: IncomingMessage): void => {
        if (seen.push(request.headers.cookie) === count) resolve(seen);
      };
      server.webServer.on("request", onRequest).on("upgrade", onRequest);
    });
  }

  it.each(["NodeXHR", "Fetch"] as const)("78: sends back the cookies that have not expired, over %s", async (name) => {
    const server = await startEngineServer();
    const cookies = cookiesOf(
      server,
      3,
      "1=1; Path=/; HttpOnly; SameSite=Lax",
      `2=2; Path=/; Expires=${FUTURE}`,
      "3=3; Path=/; Max-Age=0",
      `4=4; Path=/; Expires=${PAST}`,
    );
    const engine = openEngine(server.url, { transports: [client.transports[name]], withCredentials: true });

    await nextEvent(engine, "open");
    engine.send("a message");

    expect(await cookies).toEqual([undefined, "1=1; 2=2", "1=1; 2=2"]);
  });

  it("78: sends its cookies along when it upgrades", async () => {
    const server = await startEngineServer();
    const cookies = cookiesOf(server, 3, "1=1; Path=/", "2=2; Path=/");
    const engine = openEngine(server.url, { travel: "upgrade", withCredentials: true });

    await nextEvent(engine, "upgrade");

    expect((await cookies).toSorted()).toEqual(["1=1; 2=2", "1=1; 2=2", undefined]);
  });

  it.each(["NodeXHR", "Fetch"] as const)(
    "78: keeps no cookies unless withCredentials is set, over %s",
    async (name) => {
      const server = await startEngineServer();
      const cookies = cookiesOf(server, 2, "1=1; Path=/");

      openEngine(server.url, { transports: [client.transports[name]] });

      expect(await cookies).toEqual([undefined, undefined]);
    },
  );

  it("79: reads values as they are, and of Max-Age and Expires believes the later", async () => {
    const server = await startEngineServer();
    const cookies = cookiesOf(
      server,
      2,
      "plain=a=b&c=d; Path=/",
      'quoted="x y"',
      `kept=1; Max-Age=0; Expires=${FUTURE}`,
      `gone=1; Expires=${FUTURE}; Max-Age=0`,
      `also=1; Expires=${PAST}; Max-Age=100`,
      "nothing",
    );

    openEngine(server.url, { travel: "polling", withCredentials: true });

    expect((await cookies)[1]).toBe("plain=a=b&c=d; quoted=x y; kept=1; also=1");
  });
});
