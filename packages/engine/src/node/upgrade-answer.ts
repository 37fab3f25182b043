import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { HeaderFields } from "../http-port.js";
import { refusalText, type Refusal } from "../refusal.js";
import { CLOSE_GRACE_MS } from "../transports/websocket-channel.js";
import { validateField } from "./header-field.js";

/** An answer to an upgrade request other than 101. */
export interface UpgradeAnswer {
  /** 200 to 599; whatever else is given becomes 500. */
  readonly status: number;
  /** `Connection` and `Content-Length` are set for you. Default: none. */
  readonly headers?: HeaderFields;
  /** Default: empty. */
  readonly body?: string | Uint8Array;
}

/** Fields that say how the body travels: what a middleware has set for its own answer does not fit ours. */
const FRAMING = new Set(["connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"]);

/**
 * Answers an upgrade request in plain HTTP on its raw socket, and ends that: at once when the answer has left, or after a
 * second when the client does not take it.
 *
 * @throws TypeError for a header field that cannot be sent; the connection is cut then
 */
export function answerUpgrade(socket: Duplex, { status, headers = {}, body = "" }: UpgradeAnswer): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const code = Number.isInteger(status) && status >= 200 && status <= 599 ? status : 500;
  const lines = [`HTTP/1.1 ${code} ${STATUS_CODES[code] ?? "Unknown"}`, "Connection: close"];
  try {
    for (const [name, value] of Object.entries(headers)) {
      validateField(name, value);
      if (FRAMING.has(name.toLowerCase())) continue;
      for (const line of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${line}`);
    }
  } catch (error) {
    socket.destroy();
    throw error;
  }
  const bytes = code === 204 || code === 304 ? "" : body;
  if (code !== 204) lines.push(`Content-Length: ${Buffer.byteLength(bytes)}`);
  const timer = setTimeout(() => socket.destroy(), CLOSE_GRACE_MS).unref();
  socket.once("close", () => clearTimeout(timer));
  socket.cork();
  socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  socket.end(bytes, () => socket.destroy());
  socket.uncork();
}

/**
 * Answers an upgrade that is refused (spec/server.md 1.4).
 *
 * @param fields - what middlewares have set
 */
export function rejectUpgrade(socket: Duplex, refused: Refusal, fields: HeaderFields = {}): void {
  const { "content-type": _, ...kept } = fields;
  const headers = { ...kept, ...refused.headers, "Content-type": "text/html" };
  answerUpgrade(socket, { status: refused.status ?? 400, headers, body: refusalText(refused) });
}
