import { once } from "node:events";
import { connect, type Socket } from "node:net";

const NOTHING: Buffer = Buffer.alloc(0);
const MASK = Buffer.from([0x51, 0x0f, 0xa2, 0x3c]);
const TEXT = 1;
const CLOSE = 8;
const HTTP_HEAD_END = "\r\n\r\n";

export interface RawAnswer {
  readonly status: number;
  readonly body: string;
}

/** The path of a request to the engine. */
export function enginePath(transport: "polling" | "websocket", sid = ""): string {
  return `/socket.io/?EIO=4&transport=${transport}${sid && `&sid=${sid}`}`;
}

/**
 * A TCP connection that speaks HTTP, and WebSocket after an upgrade, and does nothing that it is not told to: it answers
 * no ping and no close frame, and keeps its half open when the server ends the other.
 */
export class RawConnection {
  readonly socket: Socket;
  /** Resolves when both directions are closed, however that came. */
  readonly closed: Promise<void>;
  #received: Buffer = NOTHING;
  #ended = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.setNoDelay(true);
    // A reset is one of the ways in which servers end connections.
    socket.on("error", () => {});
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on("data", (bytes: Buffer) => {
      this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
      this.#wake();
    });
    socket.on("end", end).on("close", end);
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    await once(socket, "connect");
    return new RawConnection(socket);
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Sends a request whose connection is to be kept. */
  sendRequest(method: "GET" | "POST", path: string, body?: string): void {
    const length = body === undefined ? "" : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    this.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${length}\r\n${body ?? ""}`);
  }

  /** The next answer; its body has to have a `Content-Length`. */
  async nextAnswer(): Promise<RawAnswer> {
    const head = await this.#head();
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    await this.#until(() => this.#received.length >= length);
    return { status: Number(head.slice(9, 12)), body: this.#take(length).toString() };
  }

  async request(method: "GET" | "POST", path: string, body?: string): Promise<RawAnswer> {
    this.sendRequest(method, path, body);
    return this.nextAnswer();
  }

  /** Asks for a WebSocket; resolves with the status of the answer, which is 101 when there is one. */
  async upgrade(path: string): Promise<number> {
    this.write(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    );
    return Number((await this.#head()).slice(9, 12));
  }

  /** Sends a text frame of less than 126 bytes. */
  sendText(text: string): void {
    this.#sendFrame(TEXT, Buffer.from(text));
  }

  sendCloseFrame(): void {
    this.#sendFrame(CLOSE, NOTHING);
  }

  #sendFrame(opcode: number, payload: Buffer): void {
    const masked = Buffer.from(payload.map((byte, index) => byte ^ (MASK[index & 3] ?? 0)));
    this.write(Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), MASK, masked]));
  }

  /** The text of the next frame; undefined for a close frame. */
  async nextText(): Promise<string | undefined> {
    await this.#until(() => this.#received.length >= 2);
    const [first = 0, second = 0] = this.#received;
    const headerLength = second === 126 ? 4 : 2;
    await this.#until(() => this.#received.length >= headerLength);
    const length = second === 126 ? this.#received.readUInt16BE(2) : second;
    await this.#until(() => this.#received.length >= headerLength + length);
    const frame = this.#take(headerLength + length);
    return (first & 0x0f) === CLOSE ? undefined : frame.toString("utf8", headerLength);
  }

  /** Ends our half. */
  end(): void {
    this.socket.end();
  }

  /** Ends the connection with a reset, as a machine does that has crashed. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  async #head(): Promise<string> {
    await this.#until(() => this.#received.includes(HTTP_HEAD_END));
    return this.#take(this.#received.indexOf(HTTP_HEAD_END) + HTTP_HEAD_END.length).toString("latin1");
  }

  #take(length: number): Buffer {
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  async #until(isThere: () => boolean): Promise<void> {
    while (!isThere()) {
      if (this.#ended) throw new Error("the server ended the connection");
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
