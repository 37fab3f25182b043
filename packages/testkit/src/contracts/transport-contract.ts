import { describe, expect, it } from "vitest";
import type { EnginePacket } from "@plugboard/protocol";
import type { QueuedPacket, Transport, TransportEvents } from "@plugboard/engine";

/** One transport under test, with the far end of it in the hands of the test. */
export interface TransportUnderTest {
  readonly transport: Transport;
  /** Makes the transport ready to take a batch. */
  makeReady(): void | Promise<void>;
  /** Completes the writes so far. */
  completeWrites(): void | Promise<void>;
  /** What the far end got so far, as encoded packets. */
  received(): Promise<string[]>;
  /** The far end sends an encoded packet. */
  deliver(encoded: string): void | Promise<void>;
  /** The far end disappears without a word. */
  vanish(): void | Promise<void>;
}

/** Everything a transport has told. */
export class RecordedEvents implements TransportEvents {
  readonly log: string[] = [];
  readonly packets: EnginePacket[] = [];

  onPacket(packet: EnginePacket): void {
    this.packets.push(packet);
    this.log.push(`packet ${packet.type}`);
  }
  onReady(): void {
    this.log.push("ready");
  }
  onError(message: string): void {
    this.log.push(`error ${message}`);
  }
  onClose(): void {
    this.log.push("close");
  }
  onHeaders(): void {}
}

export function message(data: string | Uint8Array): QueuedPacket {
  return { type: "message", data, options: { compress: true } };
}

/** What every transport owes its session. */
export function transportContract(name: string, create: () => TransportUnderTest | Promise<TransportUnderTest>): void {
  describe(`the transport contract, kept by ${name}`, () => {
    async function start(): Promise<TransportUnderTest & { events: RecordedEvents }> {
      const subject = await create();
      const events = new RecordedEvents();
      subject.transport.events = events;
      await subject.makeReady();
      return Object.assign(subject, { events });
    }

    it("delivers what the far end sends as packets, in order", async () => {
      const { events, deliver } = await start();
      await deliver("4one");
      await deliver("4two");
      expect(events.packets).toEqual([
        { type: "message", data: "one" },
        { type: "message", data: "two" },
      ]);
    });

    it("sends a batch in order and is not writable until it has been written", async () => {
      const { transport, completeWrites, received } = await start();
      expect(transport.writable).toBe(true);
      transport.send([message("one"), message("two")]);
      expect(transport.writable).toBe(false);
      await completeWrites();
      expect(await received()).toEqual(["4one", "4two"]);
    });

    it("calls back once a batch has been written, and not before", async () => {
      const { transport, completeWrites } = await start();
      let written = 0;
      transport.send([message("one")], () => written++);
      expect(written).toBe(0);
      await completeWrites();
      expect(written).toBe(1);
    });

    it("calls back for a batch that an orderly close has sent along", async () => {
      const { transport, completeWrites } = await start();
      let written = 0;
      transport.send([message("one")], () => written++);
      transport.close("orderly");
      await completeWrites();
      expect(written).toBe(1);
    });

    it("reports bytes that are no packet as an error packet", async () => {
      const { events, deliver } = await start();
      await deliver("x");
      expect(events.packets).toEqual([{ type: "error", data: "parser error" }]);
    });

    it("reports a close packet of the far end as a close, once", async () => {
      const { events, transport, deliver } = await start();
      await deliver("1");
      transport.close("now");
      expect(events.log.filter((entry) => entry === "close")).toHaveLength(1);
    });

    it("reports the end of a close that was asked for, once", async () => {
      const { events, transport } = await start();
      transport.close("orderly");
      transport.close("now");
      expect(events.log.filter((entry) => entry === "close")).toHaveLength(1);
    });

    it("reports a far end that vanished exactly once, as an error or a close", async () => {
      const { events, vanish } = await start();
      await vanish();
      expect(events.log.filter((entry) => entry === "close" || entry.startsWith("error"))).toHaveLength(1);
    });

    it("sends nothing once it is closed", async () => {
      const { transport, received, completeWrites } = await start();
      transport.close("now");
      const before = await received();
      transport.send([message("late")]);
      await completeWrites();
      expect(await received()).toEqual(before);
    });
  });
}
