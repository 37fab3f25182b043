import { Duplex } from "node:stream";

/** The raw socket of an upgrade, without a network: what the client sends is pushed, what the server writes is kept. */
export class MemoryDuplex extends Duplex {
  readonly written: Buffer[] = [];
  readonly remoteAddress = "memory";

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk);
    done();
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  /** What the server has written, of which the first part is its HTTP answer. */
  output(): Buffer {
    return Buffer.concat(this.written);
  }
}
