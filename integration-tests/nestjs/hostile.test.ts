import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { enginePath, RawConnection } from "../support/raw-connection.js";
import { PLATFORMS, prepareNest, startNest, type NestProcess } from "./nest-app.js";

const UPGRADE =
  "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";

async function start(platform: string): Promise<NestProcess> {
  const app = await startNest("12", "lifecycle", { PLATFORM: platform, CASE: "session" });
  onTestFinished(() => app.kill());
  return app;
}

async function open(app: NestProcess): Promise<RawConnection> {
  const connection = await RawConnection.open(Number(new URL(app.url).port));
  onTestFinished(() => void connection.socket.destroy());
  return connection;
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
});
