import type { Agent } from "node:http";
import { Manager, type ManagerOptions, type Socket, type SocketOptions } from "@plugboard/client";
import type { DefaultEventsMap, EventsMap, Server } from "@plugboard/server";
import { cookieHeader, type CookieValues } from "./cookie-header.js";
import { MemoryAgent } from "./memory-agent.js";
import { webServerOf } from "./web-server.js";

/** Options of {@link testClient}: those of the client, and a few more. */
export interface TestClientOptions extends Partial<ManagerOptions & SocketOptions> {
  /** Headers of the handshake and of each polling request; the same as `extraHeaders`, and stronger. */
  headers?: Record<string, string>;
  /**
   * Cookies of all requests: plain values by name, or texts as they go over the wire, such as what a response brought as
   * `set-cookie`. Those that the server sets are kept too with `withCredentials`.
   */
  cookies?: CookieValues | readonly string[];
  /** IP address the server sees the client at. Default: `127.0.0.1`. */
  remoteAddress?: string;
  /** Used instead of a connection in memory. Default: that of `memoryAgent(io)`. */
  agent?: Agent;
}

/** A client that was made for a test. `await using` closes it. */
export type TestSocket<ListenEvents extends EventsMap, EmitEvents extends EventsMap> = Socket<
  ListenEvents,
  EmitEvents
> & {
  /** Disconnects, and resolves when the server knows: the connections have ended on both sides. */
  [Symbol.asyncDispose](): Promise<void>;
};

/** What {@link testClient} rejects with. */
export interface TestClientError extends Error {
  /** What a middleware of a namespace gave as `data` of its error. */
  data?: unknown;
  /** HTTP status, when the connection was refused by one. */
  status?: number;
  /** Body of the HTTP answer, when it was refused over polling. */
  body?: string;
}

const disposers = new Set<() => Promise<void>>();

/**
 * Connects a real client of `@plugboard/client` to a server in the same process, without a port: HTTP and WebSocket run over
 * connections in memory, through everything the server has on its way. A server that is not attached to an HTTP server gets
 * one, which never listens.
 *
 * Resolves when the namespace is joined; the change from polling to websocket may be yet to come. With `autoConnect: false` it
 * resolves at once: listeners can then be added before `connect()`, for what the server sends right at the start.
 *
 * The client has a connection of its own, and is one like any other afterwards: it comes back when the connection is lost.
 * It ends by `disconnect()`, by {@link closeTestClients}, or as `await using client = await testClient(io)`.
 *
 * @param namespace - its name. Default: `/`
 * @returns rejects when the first attempt fails, with what `connect_error` tells: see {@link TestClientError}. Nothing is
 * tried again then
 * @throws TypeError for cookies that cannot be sent, or when `remoteAddress` is no IP address
 */
export async function testClient<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = unknown,
>(
  io: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
  namespace: string = "/",
  options: TestClientOptions = {},
): Promise<TestSocket<EmitEvents, ListenEvents>> {
  const { headers, cookies, remoteAddress, agent = new MemoryAgent(webServerOf(io), remoteAddress), ...rest } = options;
  const extraHeaders = { ...rest.extraHeaders, ...headers };
  if (cookies !== undefined) addCookies(extraHeaders, cookieHeader(cookies));
  const { protocol = "http:" } = agent as Partial<MemoryAgent>;
  const manager = new Manager(`${protocol}//localhost`, { path: io.path(), ...rest, agent, extraHeaders });
  const socket = manager.socket(namespace.startsWith("/") ? namespace : `/${namespace}`, rest);
  const dispose = async (): Promise<void> => {
    disposers.delete(dispose);
    socket.disconnect();
    if (agent instanceof MemoryAgent) await agent.drain();
  };
  disposers.add(dispose);
  if (rest.autoConnect !== false) {
    try {
      await connected(socket);
    } catch (error) {
      void dispose();
      throw error;
    }
  }
  return Object.assign(socket, { [Symbol.asyncDispose]: dispose }) as unknown as TestSocket<EmitEvents, ListenEvents>;
}

/** Disconnects all clients that {@link testClient} made, and resolves when the servers know. To be called after each test. */
export async function closeTestClients(): Promise<void> {
  await Promise.all([...disposers].map((dispose) => dispose()));
}

function addCookies(headers: Record<string, string>, cookies: string): void {
  const name = Object.keys(headers).find((name) => name.toLowerCase() === "cookie") ?? "cookie";
  headers[name] = [headers[name], cookies].filter(Boolean).join("; ");
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      socket.off("connect", onConnect).off("connect_error", onError).off("disconnect", onDisconnect);
    };
    const onConnect = (): void => {
      settle();
      resolve();
    };
    const onError = (error: Error): void => {
      settle();
      reject(withStatus(error));
    };
    // The connection was lost before the namespace was joined.
    const onDisconnect = (reason: string): void => {
      settle();
      reject(new Error(`the connection was lost: ${reason}`));
    };
    socket.on("connect", onConnect).on("connect_error", onError).on("disconnect", onDisconnect);
  });
}

/** What transports tell about a failure: an answer of polling, or an event of `ws`, which has the status in its message alone. */
interface TransportFailure extends TestClientError {
  readonly description?: number | { readonly message?: string };
  readonly context?: { readonly responseText?: string };
}

function withStatus(error: TransportFailure): TestClientError {
  const { description, context } = error;
  const status =
    typeof description === "object" ? Number(/response: (\d{3})$/.exec(description.message ?? "")?.[1]) : description;
  if (status) error.status = status;
  if (status && context?.responseText !== undefined) error.body = context.responseText;
  return error;
}
