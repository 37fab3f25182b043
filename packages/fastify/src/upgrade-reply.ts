import { ServerResponse, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";

/**
 * The response to an upgrade while hooks decide on it. Any answer but 101 is written to the socket, and ends it; 101 is not:
 * it goes to whoever accepts, with the header fields, when all that runs before an answer is sent has run.
 */
export class UpgradeReply extends ServerResponse {
  readonly #socket: Duplex;
  readonly #onError: () => void;
  readonly #onRefused: () => void;
  #accept: ((fields: OutgoingHttpHeaders) => void) | undefined = undefined;
  #fields: OutgoingHttpHeaders | undefined = undefined;

  /** @param onRefused - called when another answer than 101 has been given */
  constructor(req: IncomingMessage, socket: Duplex, onRefused: () => void) {
    super(req);
    this.#socket = socket;
    this.#onError = (): void => void socket.destroy();
    this.#onRefused = onRefused;
    socket.on("error", this.#onError);
    this.shouldKeepAlive = false;
    this.assignSocket(socket as never);
    this.once("finish", this.#onFinish);
  }

  /** Says who takes the socket when 101 is sent: the response has left it then. */
  onAccept(accept: (fields: OutgoingHttpHeaders) => void): void {
    this.#accept = accept;
  }

  override writeHead(status: number, ...rest: unknown[]): this {
    if (status !== 101 || this.#accept === undefined) return super.writeHead(status, ...(rest as []));
    this.#fields = { ...this.getHeaders(), ...(rest.at(-1) as OutgoingHttpHeaders | undefined) };
    return this;
  }

  override end(...args: unknown[]): this {
    const accept = this.#accept;
    const fields = this.#fields;
    if (accept === undefined || fields === undefined) return super.end(...(args as []));
    this.#accept = undefined;
    this.off("finish", this.#onFinish);
    this.detachSocket(this.#socket as never);
    this.#socket.off("error", this.#onError);
    this.#finishWithAnswer();
    accept(fields);
    return this;
  }

  /** A peer that keeps its half open would hold the server open too. */
  readonly #onFinish = (): void => {
    this.#onRefused();
    this.detachSocket(this.#socket as never);
    this.#socket.end(() => this.#socket.destroy());
  };

  /**
   * Finishes with the status of what is written to the socket next, which need not be 101: the engine may refuse too. Whoever
   * answers, the engine, one of its middlewares or `ws`, begins with the status line.
   */
  #finishWithAnswer(): void {
    const socket = this.#socket;
    const { write, end } = socket as { write: Method; end: Method };
    const onClose = (): void => void this.emit("close");
    const onWrite = (chunk: unknown): void => {
      // Not deleted, which would make all later access to the socket slower.
      Object.assign(socket, { write, end });
      socket.off("close", onClose);
      this.statusCode = Number(/^HTTP\/1\.1 (\d{3}) /.exec(String(chunk))?.[1] ?? 400);
      process.nextTick(() => this.emit("finish"));
    };
    const watched =
      (method: Method): Method =>
      (...args) => {
        onWrite(args[0]);
        return Reflect.apply(method, socket, args);
      };
    Object.assign(socket, { write: watched(write), end: watched(end) });
    socket.once("close", onClose);
  }
}

type Method = (...args: unknown[]) => unknown;
