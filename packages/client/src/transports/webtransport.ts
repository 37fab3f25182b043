import { encodeFrame, FrameDecoder } from "@plugboard/protocol";
import { Transport, type WritePacket } from "./transport.js";

/**
 * WebTransport by the class of the browser (spec/client.md 2.10): one bidirectional stream of frames. The options of the
 * session are what `transportOptions` has for `webtransport`.
 */
export class WebTransport extends Transport {
  _session: globalThis.WebTransport | undefined = undefined;
  _writer: WritableStreamDefaultWriter<Uint8Array> | undefined = undefined;

  readonly _fail = (error: unknown): void => {
    if (this.readyState !== "closed") this.onError("webtransport error", error);
  };

  get name(): string {
    return "webtransport";
  }

  doOpen(): void {
    const session = new globalThis.WebTransport(this.createUri("https", {}), this.opts.transportOptions?.[this.name]);
    this._session = session;
    session.closed.then(() => this.onClose(), this._fail);
    session.ready.then(() => session.createBidirectionalStream()).then((stream) => this._start(stream), this._fail);
  }

  doClose(): void {
    this._session?.close();
  }

  write(packets: readonly WritePacket[]): void {
    this.writable = false;
    this._send(packets).then(() => this.onDrain(), this._fail);
  }

  _start(stream: WebTransportBidirectionalStream): void {
    const reader = (stream.readable as ReadableStream<Uint8Array>).getReader();
    const decoder = new FrameDecoder(Infinity, this._host.codec);
    this._writer = (stream.writable as WritableStream<Uint8Array>).getWriter();
    const { sid } = this.query;
    const read = (): void =>
      void reader.read().then(
        ({ done, value }) => {
          if (done) return this.onClose();
          for (const packet of decoder.push(value)) this.onPacket(packet);
          read();
        },
        // The end of the session also breaks the stream, and is told by `closed`, a moment later.
        (error: unknown) => this._startTimer(() => this._fail(error), 0),
      );
    this._send([{ type: "open", data: sid && JSON.stringify({ sid }) }]).then(() => {
      if (this.readyState !== "opening") return;
      this.onOpen();
      read();
    }, this._fail);
  }

  /** All writes are waited for: one nobody looks at would be an unhandled rejection. */
  _send(packets: readonly WritePacket[]): Promise<unknown> {
    return Promise.all(
      packets.flatMap((packet) => encodeFrame(this.encode(packet))).map((part) => this._writer?.write(part)),
    );
  }
}
