import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { enginePath, RawConnection } from "../support/raw-connection.js";
import { PLATFORMS, prepareNest, startNest, type NestProcess } from "./nest-app.js";

const UPGRADE =
  "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";

async function start(platform: string, name = "lifecycle"): Promise<NestProcess> {
  const app = await startNest("12", name, { PLATFORM: platform, CASE: "session" });
  onTestFinished(() => app.kill());
  return app;
}

async function open(app: NestProcess): Promise<RawConnection> {
  const connection = await RawConnection.open(Number(new URL(app.url).port));
  onTestFinished(() => void connection.socket.destroy());
  return connection;
}

/** A connection that has asked for a namespace, and what it was answered. */
async function ask(app: NestProcess, namespace: string): Promise<{ connection: RawConnection; answer: unknown }> {
  const connection = await open(app);
  expect(await connection.upgrade(enginePath("websocket"))).toBe(101);
  await connection.nextText();
  connection.sendText(`40${namespace},`);
  return { connection, answer: await connection.nextText() };
}

async function expectToServe(app: NestProcess): Promise<void> {
  const other = await open(app);
  expect((await other.request("GET", enginePath("polling"))).status).toBe(200);
  expect(app.output()).not.toMatch(/unhandled|uncaught|ERR_/i);
}

describe.each(PLATFORMS)("a hostile client of an application with %s", (platform) => {
  beforeAll(() => prepareNest("12"));

  it("ends its own connection alone by an upgrade behind a request that is not answered yet", async () => {
    const app = await start(platform);
    const hostile = await open(app);
    const { body } = await hostile.request("GET", enginePath("polling"));
    const { sid } = JSON.parse(body.slice(1)) as { sid: string };
    const poll = `GET ${enginePath("polling", sid)} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    hostile.write(`${poll}GET ${enginePath("websocket")} HTTP/1.1\r\n${UPGRADE}\r\n`);
    await hostile.rest();
    await expectToServe(app);
  });

  it("is refused by a middleware that answers and goes on, over both transports", async () => {
    const app = await start(platform);
    for (const transport of ["polling", "websocket"] as const) {
      const hostile = await open(app);
      const upgrade = transport === "websocket" ? UPGRADE : "Host: localhost\r\nConnection: close\r\n";
      hostile.write(`GET ${enginePath(transport)} HTTP/1.1\r\n${upgrade}x-answer-and-go-on: 1\r\n\r\n`);
      const answer = await hostile.rest();
      expect(answer).toMatch(/^HTTP\/1\.1 403 /);
      expect(answer).toContain("answered");
    }
    await expectToServe(app);
  });

  it("gets in by no error that is nothing or cannot be read or sent, and not once sockets are closed", async () => {
    const app = await start(platform, "hostile");
    expect((await ask(app, "/rejecting")).answer).toBe('44/rejecting,{"message":"refused"}');
    expect((await ask(app, "/unreadable")).answer).toMatch(/^44.*SIO_INTERNAL_ERROR/);
    const { connection: failing } = await ask(app, "/failing");
    failing.sendText('42/failing,1["secret"]');
    expect(await failing.nextText()).toMatch(/^42.*SIO_INTERNAL_ERROR/);
    expect(await failing.nextText()).toBe("41/failing,");
    const refused = await open(app);
    refused.write(`GET ${enginePath("websocket")}&parts=20 HTTP/1.1\r\n${UPGRADE}\r\n`);
    expect((await refused.rest()).endsWith("the end\r\n0\r\n\r\n")).toBe(true);

    await ask(app, "/farewell");
    const ended = app.stop();
    await app.printed("farewell begins");
    const handshake = async (): Promise<number> =>
      (await (await open(app)).request("GET", enginePath("polling"))).status;
    await vi.waitFor(async () => expect(await handshake()).toBe(404), { timeout: 5000 });
    await (await open(app)).request("GET", "/release");
    expect(await ended).toBe("SIGTERM");
  });
});
