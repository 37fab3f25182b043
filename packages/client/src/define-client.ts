import { SOCKET_PROTOCOL } from "@plugboard/protocol";
import { type ClientExports, type Lookup, type ManagerConstructor, Socket } from "./contract.js";
import type { Platform } from "./engine/engine.js";
import { ClientManager } from "./manager.js";
import type { ManagerOptions, SocketOptions } from "./options.js";
import type { ClientSocket } from "./socket.js";
import { parseUrl } from "./url.js";

type Options = Partial<ManagerOptions & SocketOptions> & { "force new connection"?: boolean };

/** Makes what every door of this package consists of: the lookup function and the classes, for one platform. */
export function defineClient(platform: Platform): Lookup {
  class PlatformManager extends ClientManager {
    get _platform(): Platform {
      return platform;
    }
  }

  /** Managers that later calls may share, by what their URLs have in common. */
  const cache = new Map<string, ClientManager>();

  function lookup(uri?: string | Options | null, opts?: Options): ClientSocket {
    if (typeof uri === "object" && uri !== null) {
      opts = uri;
      uri = undefined;
    }
    opts ??= {};
    const url = parseUrl(uri);
    const id = url.id + (opts.path || "/socket.io");
    const cached = cache.get(id);
    const isAlone = opts.forceNew || opts["force new connection"] || opts.multiplex === false;
    let manager = isAlone || cached?.nsps[url.path] ? undefined : cached;
    if (manager === undefined) {
      manager = new PlatformManager(url.source, opts);
      // One that was in use and is not any more makes room.
      const isTaken = cached !== undefined && (cached._active || cached.engine === undefined);
      if (!isAlone && !isTaken) cache.set(id, manager);
    }
    if (url.query) opts.query ??= url.query;
    return manager.socket(url.path, opts);
  }

  const Manager = PlatformManager as unknown as ManagerConstructor;
  const io = lookup as unknown as Lookup;
  const parts: ClientExports = { io, connect: io, Manager, Socket, protocol: SOCKET_PROTOCOL };
  return Object.assign(io, parts);
}
