import type { Namespace, Server, Socket } from "@plugboard/server";

/** A socket, whatever its events are. */
export type AnySocket = Socket<any, any, any, any>;

/** A namespace, whatever its events are. */
export type AnyNamespace = Namespace<any, any, any, any>;

/** A server, whatever its events are. */
export type AnyServer = Server<any, any, any, any>;
