import { decodePayload, encodePayload, type EnginePacket } from "@plugboard/protocol";
import { debugFor } from "../debug.js";
import { requestUri } from "./request-uri.js";
import { Transport, type WritePacket } from "./transport.js";

const debug = PLUGBOARD_DEBUG && debugFor("engine.io-client:polling");

/** How long requests may go on after a close, in milliseconds: a network that is gone would never end them. */
const CLOSE_TIMEOUT_MS = 5000;

/** A request that can be called off. */
interface Abortable {
  abort(): void;
}

/**
 * HTTP long-polling (spec/client.md 2.10): one GET after another brings packets, and a POST at a time takes them away.
 * Whoever extends it sends the requests; bytes travel as base64.
 */
export abstract class Polling extends Transport {
  /** What is under way: a subclass adds each request it makes and takes it out when it is over. */
  readonly _requests: Set<Abortable> = new Set();
  _polling = false;
  _onPause: (() => void) | undefined = undefined;

  get name(): string {
    return "polling";
  }

  /**
   * Makes a request to `uri()`: a POST of the body, if there is one, or a GET. Ends with a call of `onLoad`, handing it the
   * text of the answer, or, never at once, `onError`.
   */
  abstract doRequest(onLoad: (text: string) => void, body?: string): void;

  doOpen(): void {
    this._poll();
  }

  /**
   * A session is ended by a packet. The poll is let go once the server has that packet: a poll that breaks off first would
   * look like a failure there. A handshake is waited for: broken off, it might leave a session behind that nobody ends.
   */
  doClose(): void {
    const abort = (): void => this._abort();
    if (this.readyState !== "opening") this.doRequest(abort, "1");
    // In Node it is no reason to keep the process.
    this._startTimer(abort, CLOSE_TIMEOUT_MS, true);
  }

  write(packets: readonly WritePacket[]): void {
    this.writable = false;
    this.doRequest(() => this.onDrain(), encodePayload(this._host.codec, packets));
  }

  override onDrain(): void {
    super.onDrain();
    this._settle();
  }

  override pause(onPause: () => void): void {
    this.readyState = "pausing";
    this._onPause = onPause;
    this._settle();
  }

  override _resume(): void {
    if (this.readyState !== "pausing" && this.readyState !== "paused") return;
    this.readyState = "open";
    if (!this._polling) this._poll();
  }

  /** Takes a whole payload. */
  override onData(payload: string): void {
    for (const packet of decodePayload(this._host.codec, payload)) {
      if (packet.type === "open") this._onHandshake(packet);
      if (packet.type === "close") this.onClose({ description: "transport closed by the server" });
      else this.onPacket(packet);
    }
    this._polling = false;
    if (this.readyState === "open") this._poll();
    else this._settle();
  }

  /** Once closed nobody is told: what was called off fails in its own way. */
  override onError(message: string, description?: unknown, context?: unknown): this {
    if (this.readyState !== "closed") return super.onError(message, description, context);
    this._abort();
    return this;
  }

  /** Where the next request goes. */
  uri(): string {
    return requestUri(this, "http", this.opts.timestampRequests !== false, !this.query["sid"]);
  }

  _poll(): void {
    this._polling = true;
    this.doRequest((text) => this.onData(text));
  }

  _onHandshake({ data }: EnginePacket): void {
    if (this.readyState !== "opening" && this.readyState !== "closed") return;
    try {
      // Known before anybody hears of the session, who might close it.
      this.query["sid"] = (JSON.parse(data as string) as { sid: string }).sid;
    } catch {
      // The engine will say so.
    }
    if (this.readyState === "opening") this.onOpen();
    else this.doRequest(() => {}, "1");
  }

  /** A pause begins once nothing is under way. */
  _settle(): void {
    if (this.readyState !== "pausing" || this._polling || !this.writable) return;
    if (PLUGBOARD_DEBUG && debug) debug("paused");
    this.readyState = "paused";
    this._onPause?.();
  }

  _abort(): void {
    for (const request of this._requests) request.abort();
  }
}
