import type { io as lookup, ManagerOptions, SocketOptions } from "socket.io-client";

/** What a client is told about a connection that did not come to be, or did not last. */
export interface Outcome {
  readonly event: "connect_error" | "disconnect";
  /** Message of the error, or reason of the disconnect. */
  readonly message: string;
  /** The status over polling; over websocket what the event behind the error says, in a browser just its type. */
  readonly description: string | number | undefined;
  /** What the server has written, if the client can read it. */
  readonly text: string | undefined;
  readonly data: unknown;
  /** `socket.active`, in the listener. */
  readonly active: boolean;
  /** Whether the client tried again, without being told to. */
  readonly comesBack: boolean;
}

/**
 * Opens a socket and tells what becomes of it. It runs in pages too, as text: nothing outside of it can be used.
 *
 * @param io - lookup function of a client
 */
export function outcomeOf(
  io: typeof lookup,
  url: string,
  options: Partial<ManagerOptions & SocketOptions>,
): Promise<Outcome> {
  interface Told {
    readonly description?: unknown;
    readonly message?: string;
    readonly type?: string;
  }
  const textOf = (told: unknown): string | number | undefined => {
    if (typeof told === "string" || typeof told === "number") return told;
    const { description, message, type } = (told ?? {}) as Told;
    return typeof description === "string" ? description : message || type;
  };
  return new Promise((resolve) => {
    const socket = io(url, { forceNew: true, reconnectionDelay: 10, randomizationFactor: 0, ...options });
    const report = (said: Omit<Outcome, "active" | "comesBack">): void => {
      const { active } = socket;
      const finish = (comesBack: boolean): void => {
        clearTimeout(timer);
        socket.disconnect();
        resolve({ ...said, active, comesBack });
      };
      // One that is to come back does so after 10 ms, on a busy machine later; one that is not has no timer to wait for.
      const timer = setTimeout(() => finish(false), active ? 20_000 : 200);
      socket.io.once("reconnect_attempt", () => finish(true));
    };
    socket.once("connect_error", (error) => {
      const { message, data, description, context } = error as Error & {
        data?: unknown;
        description?: unknown;
        context?: { responseText?: string };
      };
      const text = context?.responseText || undefined;
      report({ event: "connect_error", message, description: textOf(description), text, data });
    });
    socket.once("disconnect", (reason, details) => {
      report({ event: "disconnect", message: reason, description: textOf(details), text: undefined, data: undefined });
    });
  });
}
