import { socketio, type ExpressServer, type SocketioOptions } from "@plugboard/express";
import type { Express } from "express";
import { once } from "node:events";
import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { expressVersions } from "./peers.js";

export interface StartedApp {
  readonly app: Express;
  readonly io: ExpressServer;
  readonly server: HttpServer;
  readonly url: string;
}

/** Mounts middlewares and routes. */
export type Setup = (app: Express, io: ExpressServer) => unknown;

/** An application that listens by `app.listen` until the running test ends. */
export async function startApp(
  { load }: (typeof expressVersions)[number],
  setup: Setup,
  options: SocketioOptions = {},
): Promise<StartedApp> {
  const express = await load();
  const app = express();
  const io = socketio(app, options);
  await setup(app, io);
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    await io.close();
  });
  return { app, io, server, url: urlOf(server) };
}

export function urlOf(server: HttpServer): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
