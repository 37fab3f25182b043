import { PacketType, RESERVED_EVENTS, type Packet } from "@plugboard/protocol";
import type { Adapter, BroadcastOptions, Room, SocketId } from "./adapter-contract.js";
import { broadcastWithAcks } from "./broadcast-acks.js";
import { checkOutgoing } from "./contract-enforcement.js";
import type { EmitFlags } from "./emit-flags.js";
import type { Handshake } from "./handshake.js";
import type { Callback, NamespacePart } from "./parts.js";

interface RemoteSocketDetails {
  readonly id: SocketId;
  readonly handshake: Handshake;
  readonly rooms: Iterable<Room>;
  readonly data: unknown;
}

/** Who a broadcast goes to, and how. Immutable: each method returns a new operator (spec/server.md 3.8). */
export class BroadcastOperatorImplementation {
  static readonly name: string = "BroadcastOperator";
  readonly adapter: Adapter;
  readonly rooms: ReadonlySet<Room>;
  readonly exceptRooms: ReadonlySet<Room>;
  readonly flags: EmitFlags;

  constructor(
    adapter: Adapter,
    rooms: ReadonlySet<Room> = new Set(),
    exceptRooms: ReadonlySet<Room> = new Set(),
    flags: EmitFlags = {},
  ) {
    this.adapter = adapter;
    this.rooms = rooms;
    this.exceptRooms = exceptRooms;
    this.flags = flags;
  }

  to(room: Room | Room[]): BroadcastOperatorImplementation {
    return new BroadcastOperatorImplementation(this.adapter, withRooms(this.rooms, room), this.exceptRooms, this.flags);
  }

  in(room: Room | Room[]): BroadcastOperatorImplementation {
    return this.to(room);
  }

  except(room: Room | Room[]): BroadcastOperatorImplementation {
    return new BroadcastOperatorImplementation(this.adapter, this.rooms, withRooms(this.exceptRooms, room), this.flags);
  }

  compress(compress: boolean): BroadcastOperatorImplementation {
    return this.#with({ compress });
  }

  get volatile(): BroadcastOperatorImplementation {
    return this.#with({ volatile: true });
  }

  get local(): BroadcastOperatorImplementation {
    return this.#with({ local: true });
  }

  timeout(timeoutMs: number): BroadcastOperatorImplementation {
    return this.#with({ timeout: timeoutMs });
  }

  emit(...data: unknown[]): boolean {
    const event = data[0];
    if (RESERVED_EVENTS.has(event as string)) throw new Error(`"${String(event)}" is a reserved event name`);
    const { name, _contract: contract } = this.adapter.nsp as NamespacePart;
    const single = this.flags.expectSingleResponse === true;
    if (contract !== undefined) checkOutgoing(contract, data, { errorFirst: true, list: !single });
    const packet: Packet = { type: PacketType.EVENT, nsp: name, data };
    const last = data.at(-1);
    if (typeof last !== "function") {
      this.adapter.broadcast(packet, this.#options());
      return true;
    }
    data.pop();
    broadcastWithAcks(this.adapter, {
      packet,
      options: this.#options(),
      timeoutMs: this.flags.timeout,
      ack: last as Callback,
      single,
    });
    return true;
  }

  /** Resolves with the responses; rejects with an error that carries those that came in time as `responses`. */
  emitWithAck(...data: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.emit(...data, (error: (Error & { responses?: unknown }) | null, responses: unknown) => {
        if (error === null) return resolve(responses);
        error.responses = responses;
        reject(error);
      });
    });
  }

  /** Deprecated in the reference in favour of `fetchSockets()`. */
  allSockets(): Promise<Set<SocketId>> {
    return this.adapter.sockets(new Set(this.rooms));
  }

  /** Local sockets as they are, those of other servers as {@link RemoteSocketImplementation}. */
  async fetchSockets(): Promise<unknown[]> {
    const sockets = await this.adapter.fetchSockets(this.#options());
    return sockets.map((socket: RemoteSocketDetails & { server?: unknown }) =>
      socket.server ? socket : new RemoteSocketImplementation(this.adapter, socket),
    );
  }

  socketsJoin(room: Room | Room[]): void {
    this.adapter.addSockets(this.#options(), asArray(room));
  }

  socketsLeave(room: Room | Room[]): void {
    this.adapter.delSockets(this.#options(), asArray(room));
  }

  disconnectSockets(close = false): void {
    this.adapter.disconnectSockets(this.#options(), close);
  }

  #with(flags: EmitFlags): BroadcastOperatorImplementation {
    return new BroadcastOperatorImplementation(this.adapter, this.rooms, this.exceptRooms, { ...this.flags, ...flags });
  }

  /** Copies: adapters of third parties may keep or change what they are given. */
  #options(): BroadcastOptions {
    return { rooms: new Set(this.rooms), except: new Set(this.exceptRooms), flags: { ...this.flags } };
  }
}

/** A socket of another server (spec/server.md 3.8): its data is a copy, its methods reach out through the adapter. */
export class RemoteSocketImplementation {
  static readonly name: string = "RemoteSocket";
  readonly id: SocketId;
  readonly handshake: Handshake;
  readonly rooms: Set<Room>;
  readonly data: unknown;
  readonly operator: BroadcastOperatorImplementation;

  constructor(adapter: Adapter, details: RemoteSocketDetails) {
    this.id = details.id;
    this.handshake = details.handshake;
    this.rooms = new Set(details.rooms);
    this.data = details.data;
    this.operator = new BroadcastOperatorImplementation(adapter, new Set([this.id]), new Set(), {
      // Without it, an ack would be a list of one.
      expectSingleResponse: true,
    });
  }

  timeout(timeoutMs: number): BroadcastOperatorImplementation {
    return this.operator.timeout(timeoutMs);
  }

  emit(...data: unknown[]): boolean {
    return this.operator.emit(...data);
  }

  join(room: Room | Room[]): void {
    this.operator.socketsJoin(room);
  }

  leave(room: Room): void {
    this.operator.socketsLeave(room);
  }

  disconnect(close = false): this {
    this.operator.disconnectSockets(close);
    return this;
  }
}

function withRooms(rooms: ReadonlySet<Room>, added: Room | Room[]): Set<Room> {
  const all = new Set(rooms);
  for (const room of asArray(added)) all.add(room);
  return all;
}

function asArray(room: Room | Room[]): Room[] {
  return Array.isArray(room) ? room : [room];
}
