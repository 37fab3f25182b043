import { createRequire } from "node:module";
import { join } from "node:path";
import type { Socket } from "socket.io-client";

const require = createRequire(import.meta.url);
/** Resolves as the published client does: for what it brings along. */
const clientRequire: NodeJS.Require = createRequire(require.resolve("socket.io-client"));

/** One Engine.IO connection, as the typings of the published client describe it. */
export type Engine = Socket["io"]["engine"];
export type EngineConstructor = new (
  uri?: string | object,
  options?: Socket["io"]["opts"] & Record<string, unknown>,
) => Engine;

/** A transport of one's own extends this. */
export interface TransportConstructor {
  new (options: object): TransportUnderTest;
}

/** What both transport classes offer to subclasses and to standalone use. */
export interface TransportUnderTest {
  readonly name: string;
  readonly opts: Record<string, unknown>;
  readonly query: Record<string, unknown>;
  writable: boolean;
  doOpen(): void;
  doClose(): void;
  uri(): string;
  onOpen(): void;
  onPacket(packet: { type: string; data?: unknown }): void;
  onClose(details?: unknown): void;
  onError(reason: string, description?: unknown, context?: unknown): unknown;
  on(event: string, listener: (...args: never[]) => void): unknown;
  once(event: string, listener: (...args: never[]) => void): unknown;
  emitReserved(event: string, ...args: unknown[]): unknown;
}

/** The part of `engine.io-client` that the tests use. */
interface EngineClient {
  readonly Socket: EngineConstructor;
  readonly Transport: TransportConstructor;
  readonly WebSocket: TransportConstructor;
}

/** A copy of `engine.io-client` of its own: modules that look at the host while they load see it as it is now. */
export function freshPublishedEngine(): EngineClient {
  for (const path of Object.keys(clientRequire.cache)) {
    if (path.includes(join("node_modules", "engine.io-client"))) delete clientRequire.cache[path];
  }
  return clientRequire("engine.io-client") as EngineClient;
}

export const publishedEngine: EngineClient = clientRequire("engine.io-client") as EngineClient;

/** What `require` gives for the published client. */
export const publishedCommonJs: unknown = require("socket.io-client");

/** The build of the published client that bundlers take, which logs nothing. */
export function importPublishedProductionBuild(): Promise<typeof import("socket.io-client")> {
  const commonJs = require.resolve("socket.io-client");
  return import(join(commonJs, "..", "..", "esm", "index.js"));
}
