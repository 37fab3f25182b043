import type { Socket } from "node:net";
import type { Random } from "./fuzz/random.js";

/** How bytes travel. May be changed at any time. */
export interface FlakyConditions {
  /** Each piece waits between 0 and this, in milliseconds; pieces never overtake each other. Default: 0. */
  delayMs: number;
  /** What is read at once is sent on in pieces of 1 to this many bytes, each in a turn of its own. Default: Infinity, as read. */
  maxPieceBytes: number;
}

interface Mark {
  readonly atByte: number;
  readonly action: () => void;
}

/** Read ahead of a slow or stalled sink, in bytes: then the kernel holds the sender back. */
const MAX_READ_AHEAD = 64 * 1024;

/** One direction of a {@link FlakyLink}. */
export class FlakyFlow {
  /** Bytes sent on so far. */
  bytes = 0;
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #conditions: FlakyConditions;
  readonly #random: Random;
  #unsent: Buffer[] = [];
  #unsentBytes = 0;
  #hasEnded = false;
  #isStalled = false;
  #isWaiting = false;
  #isOver = false;
  #mark: Mark | undefined;

  constructor(source: Socket, sink: Socket, conditions: FlakyConditions, random: Random) {
    this.#source = source;
    this.#sink = sink;
    this.#conditions = conditions;
    this.#random = random;
    source.on("data", (bytes: Buffer) => {
      if (this.#isOver) return;
      this.#unsent.push(bytes);
      this.#unsentBytes += bytes.length;
      if (this.#unsentBytes > MAX_READ_AHEAD) source.pause();
      this.#pump();
    });
    source.on("end", () => {
      this.#hasEnded = true;
      this.#pump();
    });
    sink.on("drain", () => this.#pump());
  }

  /** Bytes stay where they are, and so does the end of the stream. */
  stall(): void {
    this.#isStalled = true;
    this.#source.pause();
  }

  resume(): void {
    this.#isStalled = false;
    this.#source.resume();
    this.#pump();
  }

  get isStalled(): boolean {
    return this.#isStalled;
  }

  /** Nothing is sent on any more; what arrives is thrown away. */
  finish(): void {
    this.#isOver = true;
    this.#unsent = [];
    this.#unsentBytes = 0;
    this.#source.resume();
  }

  /** Calls back when exactly `count` more bytes were sent on, before the next one. A second call replaces the first. */
  afterBytes(count: number, action: () => void): void {
    this.#mark = { atByte: this.bytes + count, action };
  }

  #pump(): void {
    while (!this.#isStalled && !this.#isWaiting && !this.#isOver && !this.#sink.writableNeedDrain) {
      const piece = this.#takePiece();
      if (piece === undefined) {
        if (this.#hasEnded) this.#sink.end();
        else if (!this.#source.readableFlowing) this.#source.resume();
        return;
      }
      const { delayMs, maxPieceBytes } = this.#conditions;
      if (delayMs > 0) this.#later((done) => setTimeout(done, this.#random.next() % (delayMs + 1)), piece);
      else if (maxPieceBytes < Infinity) this.#later(setImmediate, piece);
      else this.#deliver(piece);
    }
  }

  #later(schedule: (done: () => void) => unknown, piece: Buffer): void {
    this.#isWaiting = true;
    schedule(() => {
      this.#isWaiting = false;
      // It was stalled meanwhile: the piece is next when it goes on.
      if (this.#isStalled) this.#putBack(piece);
      else this.#deliver(piece);
      this.#pump();
    });
  }

  #takePiece(): Buffer | undefined {
    const head = this.#unsent.shift();
    if (head === undefined) return undefined;
    this.#unsentBytes -= head.length;
    const { maxPieceBytes } = this.#conditions;
    const size = maxPieceBytes < head.length ? 1 + this.#random.int(maxPieceBytes) : head.length;
    if (size < head.length) this.#putBack(head.subarray(size));
    return head.subarray(0, size);
  }

  #putBack(piece: Buffer): void {
    this.#unsent.unshift(piece);
    this.#unsentBytes += piece.length;
  }

  #deliver(piece: Buffer): void {
    if (this.#isOver) return;
    const mark = this.#mark;
    const untilMark = mark === undefined ? Infinity : mark.atByte - this.bytes;
    const now = piece.subarray(0, untilMark);
    this.bytes += now.length;
    this.#sink.write(now);
    if (mark === undefined || now.length < untilMark) return;
    this.#mark = undefined;
    const rest = piece.subarray(untilMark);
    if (rest.length > 0) this.#putBack(rest);
    mark.action();
  }
}
