import { describe, expect, it } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { login, SlowStore, startSessionApp } from "./session-app.js";

/** One that can move the end of a session on, as that of Redis can: others have to look at it once more for that. */
class CountingStore extends SlowStore {
  lookups = 0;
  /** Of every second lookup. */
  failure: unknown = undefined;

  override get(id: string, done: (error: unknown, session?: object) => void): void {
    this.lookups++;
    if (this.failure !== undefined && this.lookups % 2 === 0) setImmediate(() => done(this.failure));
    else super.get(id, done);
  }

  touch(_id: string, _session: object, done: () => void): void {
    setImmediate(done);
  }
}

async function start() {
  const store = new CountingStore();
  const { url, app } = await startSessionApp({ store });
  const cookie = await login(url);
  store.lookups = 0;
  const fetchWith = (path: string, method = "GET") => fetch(url + path, { method, headers: { cookie } });
  return { store, url, app, cookie, fetchWith };
}

describe("a session of @fastify/session", () => {
  it("is looked up once by a request that only reads, as without the plugin", async () => {
    const { store, fetchWith } = await start();
    expect(await (await fetchWith("/me")).json()).toMatchObject({ user: "ada" });
    expect(store.lookups).toBe(1);
  });

  it("is looked up twice by a request that may change it: when it comes, and when it has its turn", async () => {
    const { store, fetchWith } = await start();
    await fetchWith("/count", "POST");
    expect(store.lookups).toBe(2);
    expect(await (await fetchWith("/me")).json()).toMatchObject({ count: 1 });
  });

  it("is looked up anew by a request that has waited for others, and none of their changes is lost", async () => {
    const { store, fetchWith } = await start();
    await Promise.all(Array.from({ length: 10 }, () => fetchWith("/count", "POST")));
    expect(await (await fetchWith("/me")).json()).toMatchObject({ count: 10 });
    expect(store.texts.size).toBe(1);
  });

  it.each([
    ["an error", new Error("down")],
    ["a text", "down"],
  ])("fails a request that may change it when the store, in its turn, answers with %s", async (_what, failure) => {
    const { store, fetchWith } = await start();
    store.failure = failure;
    expect((await fetchWith("/count", "POST")).status).toBe(500);
    expect((await fetchWith("/me")).status).toBe(200);
    store.failure = undefined;
    expect(await (await fetchWith("/me")).json()).toMatchObject({ count: 0 });
  });

  it("is not made again by a request whose turn comes when it has been destroyed", async () => {
    const { store, fetchWith } = await start();
    const answers = await Promise.all([fetchWith("/logout", "POST"), fetchWith("/count", "POST")]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect((await fetchWith("/me")).status).toBe(200);
    expect(await (await fetchWith("/me")).json()).not.toHaveProperty("user");
    expect([...store.texts.values()].some((text) => text.includes("ada"))).toBe(false);
  });

  describe.each(bothClients)("and $name", (client) => {
    it.each(["polling", "websocket"])(
      "is looked up twice by a handshake over %s, and by no later request",
      async (transport) => {
        const { store, url, cookie, app } = await start();
        app.io.event("count", async (_payload, { socket }) => {
          const { session } = socket as unknown as { session: { data: { count: number } } };
          return session.data.count;
        });
        const socket = await client.connect(url, { transports: [transport], extraHeaders: { cookie } });
        expect(store.lookups).toBe(2);
        expect(await socket.emitWithAck("count", null)).toBe(0);
        expect(store.lookups).toBe(2);
      },
    );
  });
});
