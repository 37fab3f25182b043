import type { AnySocket } from "./any-socket.js";

export interface EventContext {
  readonly socket: AnySocket;
  readonly event: string;
  args: unknown[];
  readonly wantsAck: boolean;
}

export class EventError extends Error {
  override readonly name: string = "EventError";
  readonly code: string;
  readonly data: unknown;
  constructor(code: string, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

export function errorAnswer({ code, message, data }: EventError): object {
  return { status: "error", code, message, data };
}
