import { io as stock, type Socket } from "socket.io-client";
import { expect } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { clientKinds, openWith, type ClientKind, type ClientOptions } from "../session/browser.js";

export type { ClientKind, ClientOptions };
export { clientKinds, stock };

/** What `connect_error` has where a handshake was refused by its HTTP status. */
export interface Refusal extends Error {
  readonly description?: number | { readonly message?: string };
  readonly data?: unknown;
}

/** The HTTP status by which a handshake was refused. */
export const statusOf = ({ description }: Refusal): number =>
  typeof description === "number" ? description : Number(/\d{3}$/.exec(description?.message ?? "")?.[0]);

/** A browser without pages: keeps cookies, follows redirects from one server to another, and has sockets. */
export class Visitor {
  /** Those of every request, and of sockets when they come back. */
  readonly headers: Record<string, string> = {};
  readonly url: string;
  readonly #cookies = new Map<string, string>();

  constructor(url: string) {
    this.url = url;
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    let target = new URL(path, this.url);
    let all = init;
    for (let hops = 0; hops < 10; hops++) {
      const headers = { ...this.headers, ...(all.headers as Record<string, string> | undefined) };
      const response = await fetch(target, { ...all, headers, redirect: "manual" });
      this.#keep(response);
      const location = response.headers.get("location");
      if (location === null) return response;
      await response.arrayBuffer();
      target = new URL(location, target);
      all = {};
    }
    throw new Error("redirected too often");
  }

  async post(path: string, init: RequestInit = {}): Promise<Response> {
    return this.fetch(path, { method: "POST", ...init });
  }

  open(kind: ClientKind, options: ClientOptions = {}): Socket {
    return openWith(this.headers, kind, this.url, options);
  }

  async connect(kind: ClientKind, options: ClientOptions = {}): Promise<Socket> {
    const socket = this.open(kind, options);
    await nextEvent(socket, "connect");
    return socket;
  }

  /** Connects the published client and ours, over each transport, and has each ask the same. */
  async everyClientHears(event: string, answer: unknown): Promise<void> {
    for (const kind of clientKinds) {
      const socket = await this.connect(kind);
      expect({ [kind.name]: await socket.emitWithAck(event) }).toEqual({ [kind.name]: answer });
      socket.disconnect();
    }
  }

  /** Has each of those clients be refused with an HTTP status. */
  async everyClientIsRefused(status: number): Promise<void> {
    for (const kind of clientKinds) {
      const socket = this.open(kind, { reconnection: false });
      const [error] = await nextEvent<[Refusal]>(socket, "connect_error");
      expect({ [kind.name]: statusOf(error) }).toEqual({ [kind.name]: status });
    }
  }

  #keep(response: Response): void {
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === "" || /max-age=0\b|expires=Thu, 01 Jan 1970/i.test(cookie)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    const all = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    if (all === "") delete this.headers["cookie"];
    else this.headers["cookie"] = all;
  }
}
