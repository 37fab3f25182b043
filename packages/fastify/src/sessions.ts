import type { IncomingMessage } from "node:http";
import type { Server } from "@plugboard/server";
import { ApplicationSessions, type FastifyRequestLike } from "@plugboard/session";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { invalidOption } from "./check-options.js";
import { fastifyRequestOf } from "./handshake-requests.js";
import type { SessionOptions } from "./options.js";
import { pluginError } from "./plugin-error.js";
import { SecureSessions } from "./secure-sessions.js";

/** The sessions of an application, as long as its sockets share them. */
export interface SharedSessions {
  /** The room that all sockets of a session are in. */
  roomOf(id: string): string;
  close(): void;
}

/**
 * Gives sockets the sessions of `@fastify/session` or `@fastify/secure-session`, whichever is registered.
 *
 * @param wanted - default: if there are any
 * @throws PluginError with code `SIO_FASTIFY_NO_SESSION` when they are wanted, and there are none
 */
export function shareSessions(
  app: FastifyInstance,
  io: Server,
  wanted: boolean | SessionOptions | undefined,
): SharedSessions | undefined {
  if (wanted === false) return undefined;
  const options = typeof wanted === "object" ? wanted : {};
  if (app.hasRequestDecorator("sessionStore")) {
    if (options.name === undefined) return new StoreSessions(app, io, options);
    throw invalidOption("the option session.name is for @fastify/secure-session, and @fastify/session is registered");
  }
  if (app.hasDecorator("decodeSecureSession")) return new SecureSessions(app, io, options);
  if (wanted === undefined) return undefined;
  throw pluginError(
    "SIO_FASTIFY_NO_SESSION",
    "the option session needs @fastify/session or @fastify/secure-session: register it before @plugboard/fastify",
  );
}

/** Whether a plugin of sessions is registered by now. */
export function hasSessions(app: FastifyInstance): boolean {
  return app.hasRequestDecorator("sessionStore") || app.hasDecorator("decodeSecureSession");
}

/** The sessions of `@fastify/session`. */
class StoreSessions implements SharedSessions {
  readonly #sessions: ApplicationSessions;

  constructor(app: FastifyInstance, io: Server, options: SessionOptions) {
    this.#sessions = new ApplicationSessions(io, { ...options, sessionIdOf });
    app.addHook("onRequest", (request, reply, done) => {
      this.#sessions.enterFastify(request as FastifyRequestLike, reply, done);
    });
  }

  roomOf(id: string): string {
    // Without a request before there is no socket either.
    return this.#sessions.known?.roomOf(id) ?? id;
  }

  close(): void {
    this.#sessions.close();
  }
}

function sessionIdOf(request: IncomingMessage | FastifyRequest): string | undefined {
  const found = fastifyRequestOf(request) as FastifyRequestLike | undefined;
  return found?.session?.sessionId;
}
