import { WebSocket, type RawData } from "ws";
import { bytesOf, type ToArrayBuffer } from "./bare-host.js";

interface ConnectOptions {
  readonly url: string;
  readonly header: Record<string, string>;
  readonly protocols: string[];
}

interface SendOptions {
  readonly data: string | ArrayBuffer;
  readonly complete: () => void;
}

/** What a mini program has to reach the network with, over real sockets; listeners and results are called as they are there. */
export function weChatGlobals(toArrayBuffer: ToArrayBuffer): Record<string, unknown> {
  const connectSocket = ({ url, header, protocols }: ConnectOptions) => {
    const socket = new WebSocket(url, protocols, { headers: header });
    return {
      onOpen: (listener: () => void) => socket.on("open", listener),
      onMessage: (listener: (message: { data: string | ArrayBuffer }) => void) => {
        socket.on("message", (data: RawData, isBinary: boolean) => {
          const bytes = data as Buffer;
          listener({ data: isBinary ? toArrayBuffer(bytes) : bytes.toString() });
        });
      },
      onError: (listener: (error: { errMsg: string }) => void) => {
        socket.on("error", ({ message }) => listener({ errMsg: message }));
      },
      onClose: (listener: (details: { code: number; reason: string }) => void) => {
        socket.on("close", (code, reason) => listener({ code, reason: reason.toString() }));
      },
      send({ data, complete }: SendOptions) {
        // Anything but the two documented types is refused there.
        if (typeof data !== "string" && Object.prototype.toString.call(data) !== "[object ArrayBuffer]") {
          throw new TypeError("data is neither a string nor an ArrayBuffer");
        }
        socket.send(typeof data === "string" ? data : bytesOf(data), () => complete());
      },
      close: ({ code }: { code: number }) => socket.close(code),
    };
  };
  return { wx: { connectSocket } };
}
