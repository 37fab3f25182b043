import { io as ours } from "@plugboard/client";
import { io as stock, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import { onTestFinished } from "vitest";
import { nextEvent } from "../support/next-event.js";

export type ClientOptions = Partial<ManagerOptions & SocketOptions>;
export type Connect = (url: string, options: ClientOptions) => Socket;

/** The clients that a program may have, and how they travel. */
export const clientKinds: readonly { name: string; io: Connect; transports: string[] }[] = [
  { name: "the stock client over polling", io: stock, transports: ["polling"] },
  { name: "the stock client over websocket", io: stock, transports: ["websocket"] },
  { name: "our client over polling", io: ours as unknown as Connect, transports: ["polling"] },
  { name: "our client over websocket", io: ours as unknown as Connect, transports: ["websocket"] },
];

export type ClientKind = (typeof clientKinds)[number];
export const stockOverWebSocket = clientKinds[1] as ClientKind;

/**
 * A socket that comes back quickly, and ends with the running test.
 *
 * @param headers - read anew each time it comes back
 */
export function openWith(
  headers: Record<string, string>,
  { io, transports }: ClientKind,
  url: string,
  options: ClientOptions,
): Socket {
  const socket = io(url, {
    forceNew: true,
    transports,
    extraHeaders: headers,
    reconnectionDelay: 10,
    randomizationFactor: 0,
    ...options,
  });
  onTestFinished(() => void socket.disconnect());
  return socket;
}

/** A visitor with a cookie jar: what it asks for, and its sockets, carry the same session. */
export class Browser {
  readonly #headers: Record<string, string> = {};
  url: string;

  constructor(url: string) {
    this.url = url;
  }

  get cookie(): string | undefined {
    return this.#headers["cookie"];
  }

  set cookie(cookie: string) {
    this.#headers["cookie"] = cookie;
  }

  async fetch(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(this.url + path, { method, headers: { ...this.#headers }, ...init });
    const [cookie] = response.headers.getSetCookie();
    // The object that the sockets were made with: they send the new one when they come back.
    if (cookie !== undefined) this.cookie = cookie.split(";")[0] as string;
    return response;
  }

  async post(path: string): Promise<unknown> {
    return (await this.fetch("POST", path)).json();
  }

  async get(path: string): Promise<unknown> {
    return (await this.fetch("GET", path)).json();
  }

  /** A socket on its way, disconnected when the test finishes. It comes back quickly. */
  open(kind: ClientKind, { path = "/", ...options }: ClientOptions & { path?: string } = {}): Socket {
    return openWith(this.#headers, kind, this.url + path, options);
  }

  /** The same, connected. */
  async connect(kind: ClientKind, options: ClientOptions = {}): Promise<Socket> {
    const socket = this.open(kind, options);
    await nextEvent(socket, "connect");
    return socket;
  }
}

/** A visitor who has a session. */
export async function loggedIn(url: string): Promise<Browser> {
  const browser = new Browser(url);
  await browser.post("/login");
  return browser;
}
