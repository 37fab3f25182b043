import * as published from "socket.io-client";
import type { Platform } from "../../../packages/client/src/engine/engine.js";
import { UpgradingEngine } from "../../../packages/client/src/engine/upgrading-engine.js";
import { nodeHost } from "../../../packages/client/src/node/node-host.js";
import * as plugboard from "../../../packages/client/src/node.js";
import type { Connect } from "../scenarios/scenario.js";
import {
  type Engine,
  type EngineConstructor,
  publishedEngine,
  type TransportConstructor,
} from "./published-packages.js";

/** A client under test, described by the typings of the published one: what is written for that has to run. */
export interface ClientImplementation {
  readonly name: string;
  /** True for the implementation this repository is about, false for the reference that proves the tests right. */
  readonly ours: boolean;
  readonly io: Connect;
  readonly Manager: typeof published.Manager;
  /** The transport classes that Node's door exports. */
  readonly transports: Record<
    "NodeXHR" | "Fetch" | "NodeWebSocket" | "WebSocket" | "WebTransport",
    TransportConstructor
  >;
  readonly Transport: TransportConstructor;
  readonly Engine: EngineConstructor;
}

export type { Engine };

/** The published client: a test that fails here is a wrong test. */
export const publishedClient: ClientImplementation = {
  name: "socket.io-client 4.8",
  ours: false,
  io: published.io,
  Manager: published.Manager,
  transports: published as unknown as ClientImplementation["transports"],
  Transport: publishedEngine.Transport,
  Engine: publishedEngine.Socket,
};

/** As the door of Node has it, which does not show it. */
const platform: Platform = {
  host: nodeHost,
  transports: {
    polling: plugboard.NodeXHR,
    websocket: plugboard.NodeWebSocket,
    webtransport: plugboard.WebTransport,
  } as object as Platform["transports"],
  Engine: UpgradingEngine,
};

class NodeEngine extends UpgradingEngine {
  constructor(uri?: string | object, options: object = {}) {
    if (typeof uri === "object") super(undefined, uri, platform);
    else super(uri, options, platform);
  }
}

/** The client of this repository. */
export const plugboardClient: ClientImplementation = {
  name: "@plugboard/client",
  ours: true,
  io: plugboard.io as unknown as Connect,
  Manager: plugboard.Manager as unknown as typeof published.Manager,
  transports: plugboard as unknown as ClientImplementation["transports"],
  Transport: plugboard.Transport as unknown as TransportConstructor,
  Engine: NodeEngine as unknown as EngineConstructor,
};

export const clients: readonly ClientImplementation[] = [plugboardClient, publishedClient];
