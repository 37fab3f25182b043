import { once } from "node:events";
import { connect, type Socket } from "node:net";

const NOTHING: Buffer = Buffer.alloc(0);
const MASK = Buffer.from([0x51, 0x0f, 0xa2, 0x3c]);
const TEXT = 1;
const CLOSE = 8;
const LINE_END = "\r\n";
const HTTP_HEAD_END = LINE_END + LINE_END;

export interface RawAnswer {
  readonly status: number;
  readonly body: string;
}

/** A frame of a server, which is never masked nor in fragments. */
export interface RawFrame {
  readonly opcode: number;
  readonly payload: Buffer;
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

  async nextAnswer(): Promise<RawAnswer> {
    const head = await this.#head();
    const status = Number(head.slice(9, 12));
    if (/^transfer-encoding: chunked/im.test(head)) return { status, body: await this.#chunkedBody() };
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    return { status, body: (await this.#bytes(length)).toString() };
  }

  async #chunkedBody(): Promise<string> {
    const chunks: Buffer[] = [];
    for (;;) {
      const length = Number.parseInt(await this.#line(), 16);
      const chunk = await this.#bytes(length + LINE_END.length);
      if (length === 0) return Buffer.concat(chunks).toString();
      chunks.push(chunk.subarray(0, length));
    }
  }

  async request(method: "GET" | "POST", path: string, body?: string): Promise<RawAnswer> {
    this.sendRequest(method, path, body);
    return this.nextAnswer();
  }

  /**
   * Asks for a WebSocket; resolves with the status of the answer, which is 101 when there is one.
   *
   * @param fields - header fields more, each with its line end
   */
  async upgrade(path: string, fields = ""): Promise<number> {
    this.write(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${fields}\r\n`,
    );
    return this.upgraded();
  }

  /** The status of the answer to an upgrade. */
  async upgraded(): Promise<number> {
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
    const { opcode, payload } = await this.nextFrame();
    return opcode === CLOSE ? undefined : payload.toString();
  }

  async nextFrame(): Promise<RawFrame> {
    const [first = 0, second = 0] = await this.#bytes(2);
    const lengthBytes = second === 127 ? 8 : second === 126 ? 2 : 0;
    const length = lengthBytes === 0 ? second : Number(`0x${(await this.#bytes(lengthBytes)).toString("hex")}`);
    return { opcode: first & 0x0f, payload: await this.#bytes(length) };
  }

  /** Whatever still comes before the server ends the connection. */
  async rest(): Promise<string> {
    while (!this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#take(this.#received.length).toString("latin1");
  }

  /** Ends our half. */
  end(): void {
    this.socket.end();
  }

  /** Ends the connection with a reset, as a machine does that has crashed. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  #head(): Promise<string> {
    return this.#through(HTTP_HEAD_END);
  }

  #line(): Promise<string> {
    return this.#through(LINE_END);
  }

  async #through(end: string): Promise<string> {
    await this.#until(() => this.#received.includes(end));
    return this.#take(this.#received.indexOf(end) + end.length).toString("latin1");
  }

  async #bytes(length: number): Promise<Buffer> {
    await this.#until(() => this.#received.length >= length);
    return this.#take(length);
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
