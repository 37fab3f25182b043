import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { Engine, type AttachOptions, type EngineOptions, type Session } from "@plugboard/engine";
import { onTestFinished } from "vitest";
import { listen } from "./listen.js";
import { RawPollingPeer } from "./raw-polling-peer.js";

export interface StartedEngine {
  readonly engine: Engine;
  /** Answers 404 to what is not the engine's. */
  readonly server: Server;
  readonly origin: string;
  /** Of the engine, without a query. */
  readonly url: string;
  /** The first session. */
  readonly connected: Promise<Session>;
  /** Has not opened a session yet. */
  readonly peer: RawPollingPeer;
}

/** Starts an engine on an HTTP server of its own; both are closed when the running test is over. */
export async function startEngine(options?: EngineOptions & AttachOptions): Promise<StartedEngine> {
  const server = createServer((_req, res) => void res.writeHead(404).end("not ours"));
  const engine = new Engine(options);
  engine.attach(server);
  const origin = await listen(server);
  onTestFinished(() => void engine.close());
  const connected = once(engine, "connection").then(([session]) => session as Session);
  const url = `${origin}/engine.io/`;
  return { engine, server, origin, url, connected, peer: new RawPollingPeer(url) };
}
