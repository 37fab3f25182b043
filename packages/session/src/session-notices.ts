import type { AnyServer } from "./framework-types.js";
import type { SessionEnd } from "./socket-session.js";

/** Name of the event by which nodes tell each other of sessions. Not one that a program would choose. */
const NOTICE = "plugboard:session";

/** What a node tells the others: the room stands for the session, whose id and data do not travel. */
export interface SessionNotice {
  readonly room: string;
  readonly what: "changed" | SessionEnd;
}

/** How nodes tell each other that a session has changed or ended, through the adapter of the main namespace. */
export class SessionNotices {
  readonly #io: AnyServer;
  readonly #onFailure: (error: unknown) => void;
  readonly #onEvent: (notice: unknown) => void;

  constructor(io: AnyServer, onNotice: (notice: SessionNotice) => void, onFailure: (error: unknown) => void) {
    this.#io = io;
    this.#onFailure = onFailure;
    this.#onEvent = (notice) => {
      if (isNotice(notice)) onNotice(notice);
    };
    io.on(NOTICE, this.#onEvent);
  }

  send(notice: SessionNotice): void {
    const { adapter } = this.#io.sockets;
    try {
      const sent: unknown = adapter.serverSideEmit([NOTICE, notice]);
      if (sent instanceof Promise) sent.catch(this.#onFailure);
    } catch (error) {
      this.#onFailure(error);
    }
  }

  close(): void {
    this.#io.off(NOTICE, this.#onEvent);
  }
}

function isNotice(value: unknown): value is SessionNotice {
  const { room, what } = (value ?? {}) as Record<string, unknown>;
  return typeof room === "string" && (what === "changed" || what === "destroyed" || what === "expired");
}
