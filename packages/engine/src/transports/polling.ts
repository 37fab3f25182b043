import { ENGINE_PROTOCOL } from "@plugboard/protocol";
import { createDebug } from "../debug.js";
import { engineCodec } from "../engine-codec.js";
import {
  BodyError,
  nothingToDo,
  plainAnswer,
  type HeaderFields,
  type HttpAnswer,
  type HttpRequestLike,
} from "../http-port.js";
import type { ResolvedEngineOptions } from "../options.js";
import { jsonpPayload, jsonpScript } from "./jsonp.js";
import { compressedBody } from "./polling-compression.js";
import { DEAF_EVENTS, type CloseMode, type QueuedPacket, type Transport, type TransportEvents } from "./transport.js";

const debug = createDebug("engine:polling");

interface PendingPoll {
  readonly request: HttpRequestLike;
  readonly resolve: (answer: HttpAnswer) => void;
}

/**
 * HTTP long-polling (spec/server.md 1.8): a GET waits until there is something to say, a POST brings what the client has
 * to say. Requests come in and answers go out as values; who serves HTTP is not our business.
 */
export class PollingTransport implements Transport {
  readonly name = "polling";
  /** Payloads of protocol 4 are text. */
  readonly supportsBinary = false;
  /** Bytes of answers that the host has not written yet. */
  bufferedAmount = 0;
  events: TransportEvents = DEAF_EVENTS;
  readonly #options: ResolvedEngineOptions;
  /** Index of the page's callback when it polls through scripts. */
  readonly #jsonp: string | undefined;
  #poll: PendingPoll | undefined;
  #upload: HttpRequestLike | undefined;
  /** A close that waits for the next poll, which takes it along. */
  #isClosing = false;
  #closed = false;
  #paused = false;
  #onResume: (() => void) | undefined;

  /** @param jsonp - query parameter `j` of the request that begins the session */
  constructor(options: ResolvedEngineOptions, jsonp?: string) {
    this.#options = options;
    this.#jsonp = jsonp;
  }

  get writable(): boolean {
    return this.#poll !== undefined && !this.#isClosing;
  }

  get accepting(): boolean {
    return this.writable;
  }

  get readyState(): Transport["readyState"] {
    if (this.#closed) return "closed";
    return this.#isClosing ? "closing" : "open";
  }

  get protocol(): number {
    return ENGINE_PROTOCOL;
  }

  get sid(): string | undefined {
    return this.events.id;
  }

  get discarded(): boolean {
    return this.events === DEAF_EVENTS;
  }

  get req(): unknown {
    return this.#poll?.request.raw;
  }

  get dataReq(): unknown {
    return this.#upload?.raw;
  }

  /** Takes a request of this session and gives its answer, at once or when there is something to answer. */
  handle(request: HttpRequestLike): Promise<HttpAnswer> {
    if (request.method === "GET") return this.#onPoll(request);
    if (request.method === "POST") return this.#onUpload(request);
    return Promise.resolve(plainAnswer(500));
  }

  #onPoll(request: HttpRequestLike): Promise<HttpAnswer> {
    if (this.#poll !== undefined) {
      this.#fail("overlap from client");
      return Promise.resolve(plainAnswer(400));
    }
    return new Promise((resolve) => {
      const poll: PendingPoll = { request, resolve };
      this.#poll = poll;
      request.onAbort(() => {
        if (this.#poll !== poll) return;
        this.#poll = undefined;
        this.#fail("poll connection closed prematurely");
      });
      this.events.onReady();
      if (this.#isClosing && this.#poll === poll) this.#finishOrderlyClose();
    });
  }

  async #onUpload(request: HttpRequestLike): Promise<HttpAnswer> {
    if (this.#upload !== undefined || this.#onResume !== undefined) {
      this.#fail("data request overlap from client");
      return plainAnswer(400);
    }
    if (request.header("content-type") === "application/octet-stream") {
      this.#fail("invalid content");
      return plainAnswer(400);
    }
    this.#upload = request;
    let body: Uint8Array;
    try {
      body = await request.readBody(this.#options.maxHttpBufferSize);
    } catch (error) {
      this.#upload = undefined;
      if (error instanceof BodyError && error.code === "EIO_BODY_TOO_LARGE") {
        debug("refuses a body of more than %d bytes", this.#options.maxHttpBufferSize);
        return plainAnswer(413);
      }
      this.#fail("data request connection closed prematurely");
      return plainAnswer(400);
    }
    // From here on the answer is certain: a close that the packets bring about must not drop this request.
    this.#upload = undefined;
    const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
    const payload = this.#jsonp === undefined ? text : jsonpPayload(text);
    if (payload !== undefined) this.#receive(payload);
    if (this.#paused) await new Promise<void>((resolve) => (this.#onResume = resolve));
    const headers = { "Content-Type": "text/html", "Content-Length": "2", "cache-control": "no-store" };
    return this.#answer(request, headers, "ok");
  }

  #receive(payload: string): void {
    for (const packet of engineCodec.decodePayload(payload)) {
      if (packet.type === "close") {
        debug("is closed by the client");
        if (this.writable) this.send([{ type: "noop", options: {} }]);
        this.#closed = true;
        this.resume();
        this.events.onClose();
        return;
      }
      this.events.onPacket(packet);
    }
  }

  send(batch: readonly QueuedPacket[], onWritten?: () => void): void {
    const poll = this.#poll;
    if (poll === undefined) return;
    this.#poll = undefined;
    const encoded = engineCodec.encodePayload(batch);
    const payload = this.#jsonp === undefined ? encoded : jsonpScript(this.#jsonp, encoded);
    const mayCompress = batch.some((packet) => packet.options.compress === true);
    poll.resolve(this.#payloadAnswer(poll.request, payload, mayCompress, onWritten));
  }

  #payloadAnswer(
    request: HttpRequestLike,
    payload: string,
    mayCompress: boolean,
    onWritten: () => void = nothingToDo,
  ): HttpAnswer {
    const headers: HeaderFields = { "Content-Type": "text/plain; charset=UTF-8", "cache-control": "no-store" };
    if (this.#jsonp !== undefined) {
      // As a script, and as nothing else: a page must not read it as HTML.
      headers["Content-Type"] = "text/javascript; charset=UTF-8";
      headers["X-Content-Type-Options"] = "nosniff";
    }
    const { httpCompression } = this.#options;
    const compressed = mayCompress && httpCompression ? compressedBody(request, payload, httpCompression) : undefined;
    const length = Buffer.byteLength(payload);
    this.bufferedAmount += length;
    const onDone = (): void => void (this.bufferedAmount -= length);
    if (compressed === undefined) headers["Content-Length"] = String(length);
    else headers["Content-Encoding"] = compressed.encoding;
    return this.#answer(request, headers, compressed?.body ?? payload, onWritten, onDone);
  }

  #answer(
    request: HttpRequestLike,
    headers: HeaderFields,
    body: HttpAnswer["body"],
    onWritten: () => void = nothingToDo,
    onDone: () => void = nothingToDo,
  ): HttpAnswer {
    const userAgent = request.header("user-agent");
    if (userAgent?.includes(";MSIE") || userAgent?.includes("Trident/")) headers["X-XSS-Protection"] = "0";
    this.events.onHeaders(headers, request.raw);
    const done = (error?: Error): void => {
      onDone();
      if (error === undefined) onWritten();
      else this.#fail("answer not written", error);
    };
    return { status: 200, headers, body, done };
  }

  /** A client sends its next post when this one is answered: leaving it open is how to stop reading. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#onResume?.();
    this.#onResume = undefined;
  }

  close(mode: CloseMode): void {
    if (this.#closed) return;
    this.resume();
    if (this.#upload !== undefined) {
      this.#upload.abort();
      this.#upload = undefined;
    }
    if (this.writable) {
      this.send([{ type: "close", options: {} }]);
      this.#finishClose();
    } else if (mode === "now") {
      this.#finishClose();
    } else {
      this.#isClosing = true;
    }
  }

  /** Nothing was pending when the close was asked for: this poll takes it along. */
  #finishOrderlyClose(): void {
    this.send([
      { type: "noop", options: {} },
      { type: "close", options: {} },
    ]);
    this.#finishClose();
  }

  #finishClose(): void {
    if (this.#closed) return;
    debug("is closed");
    this.#closed = true;
    this.events.onClose();
  }

  #fail(message: string, description?: unknown): void {
    if (this.#closed) return;
    debug("fails: %s", message);
    this.events.onError(message, description);
  }
}
