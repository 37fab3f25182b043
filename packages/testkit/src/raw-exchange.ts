import { connect } from "node:net";
import { onTestFinished } from "vitest";

/** Sends bytes on a fresh connection and returns everything that comes back until the far end closes. */
export function exchange(origin: string, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(origin).port), "127.0.0.1", () => socket.write(bytes, "latin1"));
    let received = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => (received += String(chunk)));
    socket.on("error", () => {});
    socket.on("close", () => resolve(received));
    onTestFinished(() => void socket.destroy());
  });
}

/** The bytes of a request for a WebSocket; further header fields as lines that end with CR LF. */
export function upgradeRequest(path: string, extraLines = ""): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${extraLines}\r\n`
  );
}
