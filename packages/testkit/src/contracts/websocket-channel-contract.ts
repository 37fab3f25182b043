import { describe, expect, it } from "vitest";
import type { WebSocketChannel, WebSocketChannelEvents } from "@plugboard/engine/internal";
import { Inbox } from "../inbox.js";
import type { RawWebSocketPeer } from "../raw-websocket-peer.js";

/** A channel with the client at its far end; messages over 1,000,000 bytes are too large for it. */
export interface ChannelUnderTest {
  readonly channel: WebSocketChannel;
  readonly peer: RawWebSocketPeer;
}

/** Everything a channel has reported. */
class RecordedChannelEvents implements WebSocketChannelEvents {
  readonly messages: Inbox<string | Uint8Array> = new Inbox();
  readonly ends: Inbox<"close" | "error"> = new Inbox();

  onMessage(data: string | Uint8Array): void {
    this.messages.push(data);
  }
  onClose(): void {
    this.ends.push("close");
  }
  onError(): void {
    this.ends.push("error");
  }
  onControl(): void {}
}

/** What every WebSocket owes the transport that stands on it. */
export function webSocketChannelContract(name: string, create: () => Promise<ChannelUnderTest>): void {
  describe(`the WebSocket channel contract, kept by ${name}`, () => {
    async function start(): Promise<ChannelUnderTest & { events: RecordedChannelEvents }> {
      const subject = await create();
      const events = new RecordedChannelEvents();
      subject.channel.events = events;
      await subject.peer.opened();
      return { ...subject, events };
    }

    it("reports texts as strings and binary messages as bytes, in order", async () => {
      const { peer, events } = await start();
      for (const frame of ["one", new Uint8Array([1, 2]), "zwei €"]) peer.send(frame);
      const [first, second, third] = await events.messages.take(3);
      expect([first, third]).toEqual(["one", "zwei €"]);
      expect([...(second as Uint8Array)]).toEqual([1, 2]);
    });

    it("sends texts and bytes, and tells when they have left", async () => {
      const { channel, peer } = await start();
      const sent = new Promise((resolve) => channel.send("text", resolve));
      channel.send(Buffer.from([1, 2]));
      expect(await peer.next()).toBe("text");
      expect(await peer.next()).toEqual(new Uint8Array([1, 2]));
      expect((await sent) ?? undefined).toBeUndefined();
    });

    it("writes whole frames if it says that it takes them", async () => {
      const { channel, peer } = await start();
      const chunks = ["\x81\x03one\x82\x02", Buffer.from([1, 2])];
      if (!channel.takesFrames) {
        expect(() => channel.writeFrames(chunks, () => {})).toThrow("messages, not frames");
        return;
      }
      await new Promise<void>((resolve) => {
        if (channel.writeFrames(chunks, () => resolve())) resolve();
      });
      expect([await peer.next(), await peer.next()]).toEqual(["one", new Uint8Array([1, 2])]);
    });

    it("closes with a close frame, and reports the end once", async () => {
      const { channel, peer, events } = await start();
      channel.close();
      expect(await peer.closed).toBe(1005);
      expect(await events.ends.next()).toBe("close");
      channel.close();
      expect(events.ends.size).toBe(0);
    });

    it("reports that the peer has closed", async () => {
      const { peer, events } = await start();
      peer.close();
      expect(await events.ends.next()).toBe("close");
    });

    it("reports a message that is too large as an error, and nothing of the message", async () => {
      const { peer, events } = await start();
      peer.send("x".repeat(1_000_001));
      expect(await events.ends.next()).toBe("error");
      expect(events.messages.size).toBe(0);
    });

    it("reads nothing while it is paused, and everything afterwards", async () => {
      const { channel, peer, events } = await start();
      channel.pause();
      const pong = new Promise((resolve) => peer.socket.once("pong", resolve));
      peer.send("waits");
      peer.socket.ping();
      channel.resume();
      await pong;
      expect(await events.messages.next()).toBe("waits");
    });
  });
}
