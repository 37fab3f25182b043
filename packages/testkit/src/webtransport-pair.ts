import { ReadableStream, TransformStream, type WritableStream } from "node:stream/web";

/** Both directions of a stream, as one end sees them. */
export interface BidirectionalStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

export interface CloseInfo {
  closeCode?: number;
  reason?: string;
}

/** One end of a WebTransport session in memory: what the class of the browser offers, as far as streams go. */
export interface WebTransportEnd {
  /** Resolves once the session stands; rejects when it fails before. */
  readonly ready: Promise<void>;
  /** Resolves when either end closes the session; rejects when it breaks. */
  readonly closed: Promise<CloseInfo>;
  /** Streams the far end has opened. */
  readonly incomingBidirectionalStreams: ReadableStream<BidirectionalStream>;
  createBidirectionalStream(): Promise<BidirectionalStream>;
  /** Ends the session for both ends; what is under way is lost. */
  close(info?: CloseInfo): void;
}

export interface WebTransportPair {
  readonly client: WebTransportEnd;
  readonly server: WebTransportEnd;
  /** Breaks the session: streams and promises of both ends fail with this error. */
  fail(error: Error): void;
}

/** What both ends share. */
class Session {
  isOver = false;
  readonly ready: Promise<void>;
  readonly closed: Promise<CloseInfo>;
  readonly #failing: Array<(error: Error) => void> = [];
  #settle: (info: CloseInfo | Promise<never>) => void = () => {};

  constructor(connected: Promise<unknown>) {
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.ready = new Promise((resolve, reject) => {
      this.onEnd(reject);
      connected.then(
        () => resolve(),
        (error: Error) => this.fail(error),
      );
    });
    // Nobody has to look at them.
    this.ready.catch(() => {});
    this.closed.catch(() => {});
  }

  onEnd(listener: (error: Error) => void): void {
    this.#failing.push(listener);
  }

  close(info: CloseInfo): void {
    this.#end(new Error("the session was closed"), info);
  }

  fail(error: Error): void {
    this.#end(error, Promise.reject(error));
  }

  /** Streams first, then the promise of the session: the order of the standard. */
  #end(error: Error, outcome: CloseInfo | Promise<never>): void {
    if (outcome instanceof Promise) outcome.catch(() => {});
    if (this.isOver) return;
    this.isOver = true;
    for (const listener of this.#failing) listener(error);
    this.#settle(outcome);
  }

  /** A direction of a stream, which breaks with the session. */
  channel(): TransformStream<Uint8Array, Uint8Array> {
    return new TransformStream<Uint8Array, Uint8Array>({
      start: (controller) => this.onEnd((error) => controller.error(error)),
    });
  }
}

class End implements WebTransportEnd {
  readonly incomingBidirectionalStreams: ReadableStream<BidirectionalStream>;
  readonly #session: Session;
  readonly #far: () => End;
  #accept: (stream: BidirectionalStream) => void = () => {};

  constructor(session: Session, far: () => End) {
    this.#session = session;
    this.#far = far;
    this.incomingBidirectionalStreams = new ReadableStream({
      start: (controller) => {
        this.#accept = (stream) => controller.enqueue(stream);
        session.onEnd((error) => controller.error(error));
      },
    });
  }

  get ready(): Promise<void> {
    return this.#session.ready;
  }

  get closed(): Promise<CloseInfo> {
    return this.#session.closed;
  }

  async createBidirectionalStream(): Promise<BidirectionalStream> {
    await this.ready;
    if (this.#session.isOver) throw new Error("the session is over");
    const there = this.#session.channel();
    const back = this.#session.channel();
    this.#far().#accept({ readable: there.readable, writable: back.writable });
    return { readable: back.readable, writable: there.writable };
  }

  close(info: CloseInfo = {}): void {
    this.#session.close(info);
  }
}

/**
 * Two ends of a WebTransport session without a network. Bytes arrive in the chunks they were written in.
 * @param connected - when both ends are ready; when it rejects, the session fails. Default: at once
 */
export function createWebTransportPair(connected: Promise<unknown> = Promise.resolve()): WebTransportPair {
  const session = new Session(connected);
  const client: End = new End(session, () => server);
  const server: End = new End(session, () => client);
  return { client, server, fail: (error) => session.fail(error) };
}
