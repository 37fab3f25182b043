import { Transport } from "@plugboard/client";

/** A transport over the sockets of a WeChat mini program, which come from `wx.connectSocket`. */
export class WeChatSocket extends Transport {
  #task;

  /** What the server calls it: to the server it is a WebSocket like any other. */
  get name() {
    return "websocket";
  }

  /** Connects; the engine waits for `onOpen`, or for `onError`. */
  doOpen() {
    const { extraHeaders: header = {}, protocols = [], secure } = this.opts;
    const fail = (error) => this.onError("websocket error", error);
    this.#task = wx.connectSocket({
      url: this.createUri(secure ? "wss" : "ws", this.query),
      header,
      protocols: [protocols].flat(),
      fail,
    });
    this.#task.onOpen(() => this.onOpen());
    // A text or an ArrayBuffer: one packet.
    this.#task.onMessage(({ data }) => this.onData(data));
    this.#task.onError(fail);
    this.#task.onClose((context) => this.onClose({ description: "websocket connection closed", context }));
  }

  /** Takes packets while `writable`, and says with "drain" that it is ready for more. */
  write(packets) {
    let waiting = packets.length;
    this.writable = false;
    // Called for what was sent and for what was not: then `onClose` follows.
    const complete = () => {
      if (--waiting > 0 || this.readyState !== "open") return;
      this.writable = true;
      this.emitReserved("drain");
    };
    for (const packet of packets) {
      const encoded = this.encode(packet);
      this.#task.send({ data: typeof encoded === "string" ? encoded : toArrayBuffer(encoded), complete });
    }
  }

  /** Ends the connection, also one that has not opened yet. */
  doClose() {
    this.#task.close({ code: 1000 });
  }
}

/** The bytes alone: a view may show a part of its buffer only. */
function toArrayBuffer({ buffer, byteOffset, byteLength }) {
  return buffer.slice(byteOffset, byteOffset + byteLength);
}
