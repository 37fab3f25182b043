import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Server } from "@plugboard/server";
import { SocketSessions, type SessionStore, type StoredSession } from "@plugboard/session";
import { describe, expect, it, onTestFinished } from "vitest";
import { bothClients } from "../support/both-clients.js";

/** Reads wait, as on a slow connection of a pool, until they are let go; writes do not. */
class SlowReads implements SessionStore {
  #stored: StoredSession = { data: { n: 0 }, expiresAt: undefined, lifetimeMs: undefined };
  #release: (() => void) | undefined = undefined;
  #gate: Promise<void> | undefined = undefined;

  hold(): void {
    this.#gate = new Promise((resolve) => (this.#release = resolve));
  }

  letGo(): void {
    this.#gate = undefined;
    this.#release?.();
  }

  async load(): Promise<StoredSession> {
    const found = structuredClone(this.#stored);
    await this.#gate;
    return found;
  }

  async save(_id: string, session: StoredSession): Promise<StoredSession> {
    this.#stored = structuredClone(session);
    return session;
  }
}

describe.each(bothClients)("what is loaded late, with $name", (client) => {
  it("does not take the place of what was saved meanwhile", async () => {
    const http = createServer().listen(0, "127.0.0.1");
    await once(http, "listening");
    const io = new Server(http);
    onTestFinished(() => io.close());
    const store = new SlowReads();
    const sessions = new SocketSessions(io, { store, sessionIdOf: () => "ada" });
    io.on("connection", (socket) => {
      socket.handle("overtaken", async () => {
        let begun = (): void => {};
        const loaded = new Promise<void>((resolve) => (begun = resolve));
        const update = sessions.update("ada", async (data) => {
          begun();
          await Promise.resolve();
          data.n = 1;
        });
        await loaded;
        store.hold();
        const reload = socket.session.reload();
        await update;
        store.letGo();
        return { reloaded: await reload, data: socket.session.data };
      });
    });
    const socket = await client.connect(`http://127.0.0.1:${(http.address() as AddressInfo).port}`);
    expect(await socket.emitWithAck("overtaken")).toEqual({ reloaded: { n: 1 }, data: { n: 1 } });
  });
});
