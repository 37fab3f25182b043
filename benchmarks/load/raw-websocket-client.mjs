import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { clientTextFrame } from "./client-frame.mjs";

/*
 * The cheapest websocket client that can still tell whether it was answered. It reads into one buffer shared by all
 * connections (`onread`), counts frames by walking their headers, and builds no string once the handshake is over: whatever
 * the generator burns, it takes away from the server on a machine with few cores.
 */

const SHARED_READ_BUFFER = Buffer.allocUnsafe(256 * 1024);
const PONG = clientTextFrame("3");
const ENGINE_PING = 0x32; // "2"
const ENGINE_MESSAGE = 0x34; // "4", which the bare ws frames carry too so that all peers read the same bytes
const OPCODE_TEXT = 1;
const OPCODE_CLOSE = 8;
const NOTHING = Buffer.alloc(0);

/** One websocket connection over a bare TCP socket. Text frames only, unfragmented, as the peers send them. */
export class RawWebSocketClient {
  /** Called after each read with the number of message frames it completed. @type {(count: number) => void} */
  onMessages = () => {};

  #socket;
  #isUpgraded = false;
  #leftover = NOTHING;
  /** Texts are kept only while someone waits for one. @type {{ test: (text: string) => boolean, resolve: (text: string) => void } | null} */
  #waiter = null;
  /** Frames that came before anyone waited, kept until {@link startCounting}. @type {string[] | null} */
  #inbox = [];
  #onLost;
  #onUpgraded;

  /**
   * @param {object} options
   * @param {number} options.port
   * @param {string} options.path
   * @param {string} [options.localAddress] one of 127.0.0.0/8: each has ports of its own to connect from
   * @param {() => void} options.onUpgraded called after the 101 answer
   * @param {(error: Error) => void} options.onLost called once if the connection fails or ends before {@link destroy}
   */
  constructor({ port, path, localAddress, onUpgraded, onLost }) {
    this.#onUpgraded = onUpgraded;
    this.#onLost = onLost;
    this.#socket = connect({
      host: "127.0.0.1",
      port,
      localAddress,
      noDelay: true,
      onread: { buffer: SHARED_READ_BUFFER, callback: (length, buffer) => this.#read(buffer, length) },
    });
    this.#socket.on("connect", () => this.#socket.write(upgradeRequest(port, path)));
    this.#socket.on("error", (error) => this.#lose(error));
    this.#socket.on("close", () => this.#lose(new Error("the server closed the connection")));
  }

  /** @param {Buffer} frames one or more whole client frames */
  write(frames) {
    this.#socket.write(frames);
  }

  /**
   * Waits for a text frame. For the handshake and for checking one answer, never while measuring.
   *
   * @param {(text: string) => boolean} test
   * @returns {Promise<string>}
   */
  nextText(test) {
    const inbox = this.#inbox;
    if (inbox === null) throw new Error("nextText() after startCounting()");
    const index = inbox.findIndex(test);
    if (index !== -1) return Promise.resolve(inbox.splice(index, 1)[0]);
    return new Promise((resolve) => (this.#waiter = { test, resolve }));
  }

  /** From here on frames are counted, not read. */
  startCounting() {
    this.#inbox = null;
  }

  /** Ends the connection with a RST, which leaves no TIME_WAIT port behind thousands of short benchmark connections. */
  destroy() {
    this.#onLost = () => {};
    this.#socket.resetAndDestroy();
  }

  #lose(error) {
    const report = this.#onLost;
    this.#onLost = () => {};
    report(error);
  }

  #read(shared, length) {
    let bytes = shared.subarray(0, length);
    if (this.#leftover.length > 0) {
      bytes = Buffer.concat([this.#leftover, bytes]);
      this.#leftover = NOTHING;
    }
    const start = this.#isUpgraded ? 0 : this.#readUpgrade(bytes);
    const end = this.#isUpgraded ? this.#readFrames(bytes, start) : start;
    // The shared buffer belongs to the next read, so an unfinished frame must be copied out of it.
    if (end < bytes.length) this.#leftover = Buffer.from(bytes.subarray(end));
    return true;
  }

  #readUpgrade(bytes) {
    const end = bytes.indexOf("\r\n\r\n");
    if (end === -1) return 0;
    if (bytes.toString("latin1", 9, 12) !== "101") {
      this.#lose(new Error(`upgrade refused: ${bytes.toString("latin1", 0, Math.min(end, 200))}`));
      return bytes.length;
    }
    this.#isUpgraded = true;
    this.#onUpgraded();
    return end + 4;
  }

  /** Walks the whole frames in `bytes` from `at`, returns where the first unfinished one begins. */
  #readFrames(bytes, at) {
    const end = bytes.length;
    let messages = 0;
    while (end - at >= 2) {
      let size = bytes[at + 1];
      let payloadAt = at + 2;
      if (size === 126) {
        if (end - at < 4) break;
        size = bytes.readUInt16BE(at + 2);
        payloadAt = at + 4;
      } else if (size > 126) {
        this.#lose(new Error("the benchmark client reads unmasked frames of up to 65535 bytes"));
        return end;
      }
      if (payloadAt + size > end) break;
      if (this.#acceptFrame(bytes, bytes[at] & 0x0f, payloadAt, size)) messages++;
      at = payloadAt + size;
    }
    if (messages > 0) this.onMessages(messages);
    return at;
  }

  #acceptFrame(bytes, opcode, payloadAt, size) {
    if (opcode === OPCODE_CLOSE) this.#lose(new Error("the server sent a close frame"));
    if (opcode !== OPCODE_TEXT || size === 0) return false;
    if (bytes[payloadAt] === ENGINE_PING && size === 1) {
      this.#socket.write(PONG);
      return false;
    }
    if (this.#inbox !== null) this.#keepText(bytes.toString("utf8", payloadAt, payloadAt + size));
    return bytes[payloadAt] === ENGINE_MESSAGE;
  }

  #keepText(text) {
    const waiter = this.#waiter;
    if (waiter === null || !waiter.test(text)) {
      this.#inbox.push(text);
      return;
    }
    this.#waiter = null;
    waiter.resolve(text);
  }
}

// The headers of a browser, because a server that keeps the handshake pays for them with every connection.
function upgradeRequest(port, path) {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    "Connection: Upgrade",
    "Pragma: no-cache",
    "Cache-Control: no-cache",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
    "Upgrade: websocket",
    `Origin: http://127.0.0.1:${port}`,
    "Sec-WebSocket-Version: 13",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-GB,en;q=0.9",
    "Cookie: session=s%3A6b1f0c52e4d94f3f8a7d.Zm9vYmFyYmF6cXV4",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    "\r\n",
  ].join("\r\n");
}
