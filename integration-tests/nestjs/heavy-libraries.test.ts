import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { bothClients, type StockOrOurs } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { prepareLibraries, startNest, type NestProcess } from "./nest-app.js";

const [{ connect, open }] = bothClients as [StockOrOurs];

async function start(name: string): Promise<NestProcess> {
  const app = await startNest("libraries", name);
  onTestFinished(() => app.kill());
  return app;
}

describe("on Nest 11", () => {
  beforeAll(() => prepareLibraries(), 120_000);

  it("@sentry/nestjs reports what handlers throw, and the acknowledgement says what its filter says", async () => {
    const app = await start("sentry");
    const client = await connect(app.url);
    expect(await client.emitWithAck("echo")).toBe("echo");
    expect(await client.emitWithAck("fail")).toEqual({ status: "error", message: "Internal server error" });
    expect(await client.emitWithAck("ws")).toEqual({ status: "error", message: "sold out" });
    // It knows nothing of HTTP exceptions of sockets, and hides what they say.
    expect(await client.emitWithAck("forbidden")).toEqual({ status: "error", message: "Internal server error" });
    await app.printed("reported a defect auto.ws.nestjs.global_filter");
    expect(app.output().match(/^reported/gm)).toHaveLength(1);
  });

  it("@thallesp/nestjs-better-auth knows at connect and with each event who has logged in over HTTP", async () => {
    const app = await start("better-auth");
    const signUp = await fetch(`${app.url}/api/auth/sign-up/email`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "ada", email: "ada@example.com", password: "correct horse" }),
    });
    expect(signUp.status).toBe(200);
    const cookie = signUp.headers.getSetCookie().map((field) => field.split(";")[0]);
    const extraHeaders = { cookie: cookie.join("; ") };
    for (const transport of ["polling", "websocket"] as const) {
      const client = await connect(`${app.url}/members`, { extraHeaders, transports: [transport] });
      expect(await client.emitWithAck("who")).toBe("ada");
    }
    const [error] = await nextEvent<[Error]>(open(`${app.url}/members`), "connect_error");
    expect(error.message).toBe("UNAUTHORIZED");
    const known = await connect(`${app.url}/open`, { extraHeaders });
    expect(await known.emitWithAck("who")).toEqual(["ada", "ada"]);
    const stranger = await connect(`${app.url}/open`);
    expect(await stranger.emitWithAck("hello")).toBe("hello");
    expect(await stranger.emitWithAck("who")).toMatchObject({ status: "error", message: "UNAUTHORIZED" });
  });

  it("nestjs-asyncapi finds the events of gateways", async () => {
    const app = await start("asyncapi");
    const document = JSON.parse(/^document (.*)$/m.exec(app.output())?.[1] as string) as Record<string, object>;
    expect(document).toMatchObject({ asyncapi: "3.0.0", info: { title: "Cats" } });
    expect(Object.values(document["channels"] ?? {})).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ address: "cat:create" }),
        expect.objectContaining({ address: "cat:created" }),
      ]),
    );
    const client = await connect(`${app.url}/cats`);
    expect(await client.emitWithAck("cat:create", { name: "Tom" })).toBe("Tom");
  });
});
