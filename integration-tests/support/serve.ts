import { plugboard, type InteropServerOptions } from "./interop-implementation.js";
import { listen, type ListeningServer, type ListenOptions } from "./listening-server.js";
import type { ServerOptions } from "@plugboard/server";

/** Starts the server of this repository, with options that only it has too. Its listeners fail in silence. */
export function serve(
  options: Partial<ServerOptions> = {},
  listenOptions: ListenOptions = {},
): Promise<ListeningServer> {
  return listen(plugboard, { onListenerError() {}, ...options } as object as InteropServerOptions, listenOptions);
}
