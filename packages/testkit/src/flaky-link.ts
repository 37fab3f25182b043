import type { Socket } from "node:net";
import { type FlakyConditions, FlakyFlow } from "./flaky-flow.js";
import type { Random } from "./fuzz/random.js";

/** `up` is from the client to the server. */
export type FlakyDirection = "up" | "down";
export type FlakySide = "client" | "server";

/** One TCP connection through a {@link FlakyProxy}: two sockets, and what is to happen to the bytes between them. */
export class FlakyLink {
  /** Resolves when both ends are closed. */
  readonly closed: Promise<void>;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #flows: Readonly<Record<FlakyDirection, FlakyFlow>>;
  /** Resets that the other end is not told of before its direction goes on. */
  readonly #untold: Map<FlakyDirection, () => void> = new Map();
  #isOpen = true;

  constructor(client: Socket, server: Socket, conditions: FlakyConditions, random: Random) {
    this.#client = client;
    this.#server = server;
    this.#flows = {
      up: new FlakyFlow(client, server, conditions, random),
      down: new FlakyFlow(server, client, conditions, random),
    };
    this.closed = Promise.all([this.#watch(client, "up", server), this.#watch(server, "down", client)]).then(() => {});
  }

  /** Whether nothing was cut yet, by us or by one of the ends. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Bytes that went through. */
  bytes(direction: FlakyDirection): number {
    return this.#flows[direction].bytes;
  }

  /** Both ends see a reset (RST) at once. What is on its way is lost. */
  reset(): void {
    this.#close();
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  /** Both ends see the other one's end (FIN). What is on its way is lost. */
  end(): void {
    this.#close();
    this.#client.end();
    this.#server.end();
  }

  /**
   * Half open: this end sees a reset, the other one nothing. It may write, which leads nowhere, and finds out by its own
   * means.
   */
  drop(side: FlakySide): void {
    this.#close();
    (side === "client" ? this.#client : this.#server).resetAndDestroy();
  }

  /** Nothing moves any more in this direction, or in both, and no end is told of the other's. */
  stall(direction?: FlakyDirection): void {
    for (const flow of this.#chosen(direction)) flow.stall();
  }

  /** What was stalled goes on, with nothing lost. */
  resume(direction?: FlakyDirection): void {
    for (const flow of this.#chosen(direction)) flow.resume();
    for (const [stalled, tell] of this.#untold) if (!this.#flows[stalled].isStalled) tell();
  }

  /** Calls back when exactly that many more bytes went through, before the next one. One call per direction is remembered. */
  afterBytes(direction: FlakyDirection, count: number, action: () => void): void {
    this.#flows[direction].afterBytes(count, action);
  }

  #chosen(direction: FlakyDirection | undefined): FlakyFlow[] {
    return direction === undefined ? Object.values(this.#flows) : [this.#flows[direction]];
  }

  #close(): void {
    this.#isOpen = false;
    for (const flow of this.#chosen(undefined)) flow.finish();
  }

  /** Hands on how an end ended: in good order that is the flow's work, here it is the reset. */
  #watch(socket: Socket, direction: FlakyDirection, other: Socket): Promise<void> {
    // Node tells of a reset by an error, whose name depends on who was writing.
    socket.on("error", () => {});
    return new Promise((resolve) => {
      socket.once("close", (hadError) => {
        resolve();
        const tell = (): void => {
          if (!this.#isOpen) return;
          this.#isOpen = false;
          if (hadError) other.resetAndDestroy();
        };
        if (this.#flows[direction].isStalled) this.#untold.set(direction, tell);
        else tell();
      });
    });
  }
}
