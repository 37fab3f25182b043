import { createDebug } from "@plugboard/engine/internal";
import type { Packet } from "@plugboard/protocol";
import type { BroadcastOptions } from "./adapter-contract.js";
import { InMemoryAdapter } from "./adapter.js";
import { NamespaceImplementation } from "./namespace.js";
import type { Callback, NamespacePart, ServerPart } from "./parts.js";

const debug = createDebug("socket.io:parent-namespace");

let parentCount = 0;

interface Parent extends NamespacePart {
  readonly children: ReadonlySet<NamespacePart>;
}

/** Hands broadcasts of a parent on to the adapters of its children. It knows no sockets of its own. */
class ParentAdapter extends InMemoryAdapter {
  readonly parent: Parent;

  constructor(parent: Parent) {
    super(parent);
    this.parent = parent;
  }

  override broadcast(packet: Packet, options: BroadcastOptions): void {
    for (const { adapter } of this.parent.children) {
      // A copy for each: adapters write their namespace into it, and some append to the data.
      adapter.broadcast({ ...packet, data: [...(packet.data as unknown[])] }, options);
    }
  }

  override broadcastWithAck(
    _packet: Packet,
    _options: BroadcastOptions,
    _clientCountCallback: (clientCount: number) => void,
    _ack: Callback,
  ): void {
    throw new Error("acknowledgements are not supported on parent namespaces");
  }
}

/**
 * A namespace that stands for all names a pattern or function matches (spec/server.md 3.4). Its children are ordinary
 * namespaces, made when a client asks for one.
 */
export class ParentNamespaceImplementation extends NamespaceImplementation {
  static override readonly name: string = "ParentNamespace";
  readonly children: Set<NamespaceImplementation> = new Set();

  constructor(server: ServerPart) {
    super(server, `/_${parentCount++}`);
  }

  override _initAdapter(): void {
    this.adapter = new ParentAdapter(this);
  }

  override fetchSockets(): Promise<unknown[]> {
    throw new Error("fetchSockets() is not supported on parent namespaces");
  }

  /** Makes a child with the middlewares, listeners and contract that the parent has now, and its handlers, later ones too. */
  createChild(name: string): NamespaceImplementation {
    debug("%s makes %s", this.name, name);
    const child = new NamespaceImplementation(this.server, name);
    child._fns = this._fns.slice();
    child._contract = this._contract;
    child._parent = this;
    for (const event of ["connect", "connection"]) {
      for (const listener of this.listeners(event)) child.on(event, listener as Callback);
    }
    if (this.server.opts.cleanupEmptyChildNamespaces) child._onEmpty = () => this.removeChild(child);
    this.children.add(child);
    this.server._nsps.set(name, child);
    this.server.sockets.emitReserved("new_namespace", child);
    return child;
  }

  removeChild(child: NamespaceImplementation): void {
    if (!this.children.delete(child)) return;
    debug("%s drops %s, which is empty", this.name, child.name);
    this.server._nsps.delete(child.name);
    this.server._guard.call(() => child.adapter.close(), child.adapter, ["close"]);
  }
}
