import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "@plugboard/server";
import {
  ApplicationSessions,
  fromRequest,
  type ApplicationSessionsOptions,
  type FastifyReplyLike,
  type FastifyRequestLike,
} from "@plugboard/session";
import { platformRequest, type RequestTurns } from "./platform-front.js";

/** How sockets share the sessions of the application: options of `@plugboard/session`. */
export type SessionOptions = Omit<ApplicationSessionsOptions, "sessionIdOf" | "onStart" | "onUnknown">;

/** What `express-session` and `@fastify/session` put on requests; `cookie-session` and `@fastify/secure-session` give no store. */
interface SessionRequest {
  readonly sessionStore?: object;
  readonly sessionID?: string;
  readonly session?: { readonly sessionId?: string; data?: () => object | undefined } | null;
}

/** The sessions of an application, on its sockets. */
export class SharedSessions implements RequestTurns {
  readonly #sessions: ApplicationSessions;

  constructor(io: Server, options: SessionOptions) {
    this.#sessions = new ApplicationSessions(io, { ...options, sessionIdOf });
  }

  enter(req: IncomingMessage, res: ServerResponse, goOn: (error?: Error) => void): void {
    this.#sessions.enter(req, res, goOn);
  }

  enterFastify(request: FastifyRequestLike, reply: FastifyReplyLike, goOn: (error?: Error) => void): void {
    if (request.sessionStore === undefined) goOn();
    else this.#sessions.enterFastify(request, reply, goOn);
  }

  leave(req: IncomingMessage, res: ServerResponse, goOn: () => void): void {
    const { sessionStore, session } = platformRequest(req) as SessionRequest;
    if (sessionStore === undefined && session) this.#sessions.start(fromRequest(dataOf));
    this.#sessions.leave(req, res, goOn);
  }

  /** Stops watching the store. */
  close(): void {
    this.#sessions.close();
  }
}

function sessionIdOf(request: IncomingMessage): string | undefined {
  const { sessionID, session } = platformRequest(request) as SessionRequest;
  return sessionID ?? session?.sessionId;
}

function dataOf(request: IncomingMessage): object | undefined {
  const { session } = platformRequest(request) as SessionRequest;
  return typeof session?.data === "function" ? session.data() : (session ?? undefined);
}
