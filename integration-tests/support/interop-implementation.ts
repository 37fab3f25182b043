import type { Server as HttpServer } from "node:http";
import type { Server as HttpsServer } from "node:https";
import { Server as PlugboardServer } from "@plugboard/server";
import { Server as PublishedServer, type ServerOptions, type Socket as PublishedSocket } from "socket.io";

/**
 * The server type the interop tests are written against: that of the published package, since a program written for it
 * has to keep working when only the import changes.
 */
export type InteropServer = PublishedServer;
export type InteropNamespace = ReturnType<InteropServer["of"]>;
export type InteropSocket = PublishedSocket;
export type InteropServerOptions = Partial<ServerOptions>;
export type WebServer = HttpServer | HttpsServer;

/** One server implementation under test. */
export interface InteropImplementation {
  readonly name: string;
  /** True for the implementation this repository is about, false for the reference that proves the tests right. */
  readonly ours: boolean;
  createServer(webServer: WebServer | undefined, options: InteropServerOptions): InteropServer;
}

/** The published server: a test that fails here is a wrong test. */
export const reference: InteropImplementation = {
  name: "socket.io 4.8",
  ours: false,
  createServer: (webServer, options) =>
    webServer === undefined ? new PublishedServer(options) : new PublishedServer(webServer, options),
};

/** The server of this repository. */
export const plugboard: InteropImplementation = {
  name: "@plugboard/server",
  ours: true,
  createServer: (webServer, options) =>
    (webServer === undefined
      ? new PlugboardServer(options as never)
      : new PlugboardServer(webServer, options as never)) as unknown as InteropServer,
};
