import { expect, it, vi } from "vitest";
import { stopTimers } from "../support/fake-clock.js";
import { interopSuite } from "../support/interop-suite.js";
import { nextEvent } from "../support/next-event.js";
import { openRawPolling, rawUpgrade, type RawPollingSession } from "../support/raw-session.js";
import { whenWritable } from "../support/when-writable.js";
import type { ListeningServer } from "../support/listening-server.js";

const mismatch = { status: 400, body: JSON.stringify({ code: 3, message: "Bad request" }) };

async function upgraded(
  server: ListeningServer,
): Promise<RawPollingSession & { probe: ReturnType<typeof rawUpgrade> }> {
  const raw = await openRawPolling(server);
  const probe = rawUpgrade(server, raw.peer);
  await probe.opened();
  probe.send("2probe");
  await probe.next();
  const done = nextEvent(raw.session, "upgrade");
  probe.send("5");
  await done;
  return { ...raw, probe };
}

interopSuite("the upgrade on the wire", ({ startServer, oursOnly }) => {
  it("answers the probe, releases the waiting poll and goes on over the websocket", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const poll = peer.poll();
    await whenWritable(session);
    const probe = rawUpgrade(server, peer);
    await probe.opened();
    const upgrading = nextEvent<[{ name: string }]>(session, "upgrading");

    probe.send("2probe");
    expect(await probe.next()).toBe("3probe");
    expect((await upgrading)[0].name).toBe("websocket");
    expect(session.upgrading).toBe(true);
    expect((await poll).body).toBe("6");

    const upgrade = nextEvent<[{ name: string }]>(session, "upgrade");
    probe.send("5");
    expect((await upgrade)[0].name).toBe("websocket");
    expect(session.upgraded).toBe(true);
    expect(session.transport.name).toBe("websocket");
    session.send("after");
    expect(await probe.next()).toBe("4after");
    expect(await peer.poll()).toMatchObject(mismatch);
    expect(await peer.post("3")).toMatchObject(mismatch);
  });

  it("answers each poll that comes while probing with `6`", async () => {
    const server = await startServer();
    const { peer } = await openRawPolling(server);
    const probe = rawUpgrade(server, peer);
    await probe.opened();
    probe.send("2probe");
    await probe.next();

    expect((await peer.poll()).body).toBe("6");
    expect((await peer.poll()).body).toBe("6");
  });

  it("sends over polling what is sent while probing", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const probe = rawUpgrade(server, peer);
    await probe.opened();
    probe.send("2probe");
    await probe.next();

    session.send("still polling");

    expect((await peer.poll()).body).toBe("4still polling");
    expect(probe.frames.size).toBe(0);
  });

  it("sends over the websocket what no poll has fetched", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const probe = rawUpgrade(server, peer);
    await probe.opened();
    probe.send("2probe");
    await probe.next();
    session.send("a");
    session.send("b");

    probe.send("5");

    expect(await probe.frames.take(2)).toEqual(["4a", "4b"]);
  });

  it("ends a poll that still waits at the swap", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const probe = rawUpgrade(server, peer);
    await probe.opened();
    const poll = peer.poll();
    await whenWritable(session);

    // Without a probe, so that nothing has released the poll before.
    probe.send("5");

    expect((await poll).body).toBe("1");
    session.send("after");
    expect(await probe.next()).toBe("4after");
  });

  it.each(["40", "4hello", "3probe", "2other"])(
    "gives up a probe that begins with %s and stays on polling",
    async (first) => {
      const server = await startServer();
      const { peer, session } = await openRawPolling(server);
      const probe = rawUpgrade(server, peer);
      await probe.opened();

      probe.send(first);
      await probe.closed;

      session.send("a");
      expect((await peer.poll()).body).toBe("4a");
      expect(session.upgrading).toBe(false);
      expect(session.upgraded).toBe(false);
    },
  );

  it("takes another probe after one that broke", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const broken = rawUpgrade(server, peer);
    await broken.opened();
    broken.send("2probe");
    await broken.next();
    broken.close();
    await broken.closed;
    while (session.upgrading) await new Promise((resolve) => setImmediate(resolve));

    const probe = rawUpgrade(server, peer);
    await probe.opened();
    probe.send("2probe");
    expect(await probe.next()).toBe("3probe");
    probe.send("5");
    session.send("after");
    expect(await probe.next()).toBe("4after");
  });

  it("closes a second probe while the first one is under way", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const probe = rawUpgrade(server, peer);
    await probe.opened();
    probe.send("2probe");
    await probe.next();

    const second = rawUpgrade(server, peer);

    expect(await second.closed).toBe(1005);
    probe.send("5");
    session.send("after");
    expect(await probe.next()).toBe("4after");
  });

  it("closes a websocket that comes after the upgrade and keeps the session", async () => {
    const server = await startServer();
    const { peer, session, probe } = await upgraded(server);

    const second = rawUpgrade(server, peer);

    expect(await second.closed).toBe(1005);
    session.send("after");
    expect(await probe.next()).toBe("4after");
  });

  it("gives up an upgrade that takes too long and stays on polling", async () => {
    stopTimers();
    const server = await startServer({ upgradeTimeout: 10_000 });
    const { peer, session } = await openRawPolling(server);
    const probe = rawUpgrade(server, peer);
    await probe.opened();
    probe.send("2probe");
    await probe.next();

    vi.advanceTimersByTime(10_000);
    await probe.closed;

    session.send("a");
    expect((await peer.poll()).body).toMatch(/^(6\x1e)?4a$/);
    expect(session.readyState).toBe("open");
  });

  it("closes the probe when the session ends", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const probe = rawUpgrade(server, peer);
    await probe.opened();
    probe.send("2probe");
    await probe.next();
    const closed = nextEvent(session, "close");

    await peer.post("1");

    expect((await closed)[0]).toBe("transport close");
    await probe.closed;
  });

  it("survives garbage on the probing websocket", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const probe = rawUpgrade(server, peer);
    await probe.opened();

    (probe.socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(Buffer.alloc(8, 0xff));
    await probe.closed;

    session.send("a");
    expect((await peer.poll()).body).toBe("4a");
  });

  it("closes an upgraded session with its websocket", async () => {
    const server = await startServer();
    const { session, probe } = await upgraded(server);
    const closed = nextEvent(session, "close");

    probe.close();

    expect((await closed)[0]).toBe("transport close");
    expect(server.io.engine.clientsCount).toBe(0);
  });

  it("pings after the upgrade as before", async () => {
    const server = await startServer({ pingInterval: 100, pingTimeout: 5000 });
    const { probe, session } = await upgraded(server);

    for (let beat = 0; beat < 3; beat++) {
      expect(await probe.next()).toBe("2");
      const heartbeat = nextEvent(session, "heartbeat");
      probe.send("3");
      await heartbeat;
    }
  });

  oursOnly("notices a pong that got lost around the upgrade", "there the session lives on for ever", async () => {
    stopTimers();
    const server = await startServer({ connectTimeout: 600_000 });
    const { peer, session } = await openRawPolling(server);
    const closed = nextEvent(session, "close");
    vi.advanceTimersByTime(25_010);
    expect((await peer.poll()).body).toBe("2");

    const probe = rawUpgrade(server, peer);
    await probe.opened();
    const done = nextEvent(session, "upgrade");
    probe.send("5");
    await done;
    vi.advanceTimersByTime(20_010);

    expect((await closed)[0]).toBe("ping timeout");
  });
});
