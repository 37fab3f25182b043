import type { AsyncResource } from "node:async_hooks";
import type { AddressInfo } from "node:net";
import { Duplex } from "node:stream";
import { nativeTimers, soon } from "./soon.js";

/** Where one end of a connection is. */
export interface Endpoint {
  readonly address: string;
  readonly family: "IPv4" | "IPv6";
  readonly port: number;
}

export interface MemorySocketOptions {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Whether it can still be written to when the other end has ended. */
  readonly allowHalfOpen: boolean;
  /** Where its events run: what `AsyncLocalStorage` holds at one end is not seen at the other. */
  readonly scope: AsyncResource;
}

type WriteCallback = (error?: Error | null) => void;

function systemError(code: "EPIPE" | "ECONNRESET", syscall: "read" | "write"): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
}

/**
 * One end of a connection in memory, with as much of `net.Socket` as HTTP, WebSocket and what is built on them use. It
 * ends, breaks and pushes back as a TCP socket does; its contract suite runs over both.
 *
 * Nothing of it keeps the process alive.
 */
export class MemorySocket extends Duplex {
  readonly connecting = false;
  readonly localAddress: string;
  readonly localFamily: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remoteFamily: string;
  readonly remotePort: number;
  bytesRead = 0;
  bytesWritten = 0;
  /** Milliseconds without traffic until `timeout`; 0 for never. */
  timeout = 0;
  readonly #scope: AsyncResource;
  #peer: MemorySocket | undefined = undefined;
  /** Lets the other end go on writing, which waits until this one is read. */
  #onRead: WriteCallback | undefined = undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined = undefined;
  #isReset = false;

  constructor({ local, remote, allowHalfOpen, scope }: MemorySocketOptions) {
    // As sockets do, it emits `close` itself, to tell whether there was an error.
    super({ allowHalfOpen, emitClose: false });
    this.#scope = scope;
    this.localAddress = local.address;
    this.localFamily = local.family;
    this.localPort = local.port;
    this.remoteAddress = remote.address;
    this.remoteFamily = remote.family;
    this.remotePort = remote.port;
  }

  /** Connects two ends. */
  static join(one: MemorySocket, other: MemorySocket): void {
    one.#peer = other;
    other.#peer = one;
  }

  address(): AddressInfo {
    return { address: this.localAddress, family: this.localFamily, port: this.localPort };
  }

  /** @param timeoutMs - time without traffic after which `timeout` is emitted; 0 for never. By the real clock, always */
  setTimeout(timeoutMs: number, listener?: () => void): this {
    this.timeout = timeoutMs;
    nativeTimers.clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    if (timeoutMs > 0) {
      const onIdle = (): void => void this.#run(() => this.emit("timeout"));
      if (!this.destroyed) this.#idleTimer = nativeTimers.setTimeout(onIdle, timeoutMs).unref();
      if (listener) this.once("timeout", listener);
    } else if (listener) {
      this.off("timeout", listener);
    }
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** Closes once everything written before is out. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** Breaks the connection: the other end gets an error instead of an end. */
  resetAndDestroy(): this {
    this.#isReset = true;
    return this.destroy();
  }

  override _read(): void {
    const goOn = this.#onRead;
    this.#onRead = undefined;
    goOn?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteCallback): void {
    // A copy: each end may do with its bytes what it likes, as with those from a network.
    const bytes = Buffer.from(chunk);
    this.bytesWritten += bytes.length;
    this.#noteTraffic();
    this.#tell((peer) => peer.#receive(bytes, (error) => this.#run(() => callback(error))));
  }

  override _final(callback: WriteCallback): void {
    this.#tell((peer) => {
      peer.#receiveEnd();
      this.#run(callback);
    });
  }

  override _destroy(error: Error | null, callback: WriteCallback): void {
    nativeTimers.clearTimeout(this.#idleTimer);
    const refuse = this.#onRead;
    this.#onRead = undefined;
    this.#tell((peer) => {
      refuse?.(systemError("EPIPE", "write"));
      peer.#receiveClose(this.#isReset);
    });
    callback(error);
    // Behind the error, if there is one.
    soon(() => this.#run(() => this.emit("close", error !== null)));
  }

  #tell(message: (peer: MemorySocket) => void): void {
    soon(() => this.#peer && message(this.#peer));
  }

  #receive(bytes: Buffer, callback: WriteCallback): void {
    // Of a stream that is over, more cannot be taken; nor of one that cannot be read any more.
    if (this.destroyed) return callback(systemError("EPIPE", "write"));
    this.bytesRead += bytes.length;
    this.#noteTraffic();
    if (this.#run(() => this.push(bytes))) callback();
    else this.#onRead = callback;
  }

  #receiveEnd(): void {
    if (this.destroyed) return;
    this.#run(() => {
      this.push(null);
      // So that the end is noticed also when nobody reads and nothing waits.
      this.read(0);
    });
  }

  #receiveClose(isReset: boolean): void {
    if (this.destroyed) return;
    if (isReset) this.#run(() => this.destroy(systemError("ECONNRESET", "read")));
    else if (!this.readableEnded) this.#receiveEnd();
  }

  #noteTraffic(): void {
    this.#idleTimer?.refresh();
  }

  #run<Result>(action: () => Result): Result {
    return this.#scope.runInAsyncScope(action);
  }
}
