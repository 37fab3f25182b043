import { createDebug, generateSessionId } from "@plugboard/engine/internal";
import { PacketType, type Packet } from "@plugboard/protocol";
import type { BroadcastOptions, Room, Session, SocketId } from "./adapter-contract.js";
import { InMemoryAdapter } from "./adapter.js";
import { OffsetSequence } from "./packet-offset.js";
import type { NamespacePart, RecoveryOptions } from "./parts.js";

const debug = createDebug("socket.io-adapter");

interface StoredSession extends Omit<Session, "missedPackets"> {
  readonly disconnectedAt: number;
}

interface StoredPacket {
  readonly id: string;
  readonly emittedAt: number;
  readonly data: unknown[];
  readonly opts: BroadcastOptions;
  /** Encoded size; texts count by their chars. */
  readonly bytes: number;
  /** Ascending. */
  readonly number: number;
  /** Of the one socket it was for, if it was for one. */
  readonly share: Share | undefined;
}

/** Of the store, what packets for a single socket may take: nobody pushes out what others have missed. */
const SHARE_OF_ONE = 0.1;

/** What is stored for one socket alone. */
interface Share {
  readonly id: SocketId;
  readonly packets: StoredPacket[];
  bytes: number;
  /** Number of the last packet that had to make room for a newer one of the same socket. */
  droppedUpTo: number;
  /** Its socket has left; the count goes on as long as something of it is stored, for it may come back. */
  isLeft: boolean;
}

/** Expired packets are dropped in batches, this many milliseconds late at most. */
const DROP_DELAY_MS = 60_000;

/**
 * Keeps disconnected sockets and recent packets in memory, so that a client that comes back in time gets what it has
 * missed (spec/server.md 3.10, 3.11). A session can be restored once. Both stores are bounded, and are swept when
 * something is added: no timer runs.
 */
export class SessionAwareAdapter extends InMemoryAdapter {
  readonly #maxDisconnectionMs: number;
  readonly #maxBytes: number;
  readonly #maxPackets: number;
  readonly #maxSessions: number;
  readonly #sessions: Map<string, StoredSession> = new Map();
  readonly #packets: StoredPacket[] = [];
  /** Of all stored packets together. */
  #bytes = 0;
  /** What is stored for one socket alone, by its id. */
  readonly #shares: Map<SocketId, Share> = new Map();
  /** Packets ever stored. */
  #count = 0;
  override readonly offsetTag: string = generateSessionId().slice(0, 6);
  readonly #offsets: OffsetSequence = new OffsetSequence(this.offsetTag);

  constructor(nsp: NamespacePart) {
    super(nsp);
    const recovery: Partial<RecoveryOptions> = nsp.server.opts.connectionStateRecovery ?? {};
    this.#maxDisconnectionMs = recovery.maxDisconnectionDuration ?? 0;
    this.#maxBytes = recovery.maxStoredBytes ?? Infinity;
    this.#maxPackets = recovery.maxStoredPackets ?? Infinity;
    this.#maxSessions = recovery.maxStoredSessions ?? Infinity;
  }

  override persistSession(session: Omit<Session, "missedPackets">): void {
    const now = Date.now();
    // Oldest first: the map is in the order of insertion.
    for (const [pid, { disconnectedAt }] of this.#sessions) {
      if (this.#sessions.size < this.#maxSessions && !this.#isExpired(disconnectedAt, now)) break;
      this.#sessions.delete(pid);
    }
    debug("%s: keeps the session of %s", this.nsp.name, session.sid);
    this.#sessions.set(session.pid, { ...session, disconnectedAt: now });
  }

  override restoreSession(pid: string, offset: string): Promise<Session | null> | null {
    const session = this.#sessions.get(pid);
    if (session === undefined) return null;
    this.#sessions.delete(pid);
    if (this.#isExpired(session.disconnectedAt, Date.now())) return null;
    const index = this.#packets.findLastIndex(({ id }) => id === offset);
    if (index < 0 || session.rooms.some((room) => this.#hasGap(room, index))) return null;
    debug("%s: restores the session of %s", this.nsp.name, session.sid);
    const { number } = this.#packets[index]!;
    const missedSince = (from: number): unknown[][] => this.#missedBy(session.rooms, from);
    return Promise.resolve({
      ...session,
      // When the socket is let in, after its middlewares, more may have been sent.
      get missedPackets() {
        return missedSince(number);
      },
    });
  }

  /** What was sent to these rooms after the packet with this number. */
  #missedBy(rooms: readonly Room[], number: number): unknown[][] {
    const missed: unknown[][] = [];
    for (let index = indexOfNumber(this.#packets, number + 1); index < this.#packets.length; index++) {
      const { opts, data } = this.#packets[index]!;
      if (isTarget(rooms, opts)) missed.push(data);
    }
    return missed;
  }

  override broadcast(packet: Packet, options: BroadcastOptions): void {
    const isKept = packet.type === PacketType.EVENT && packet.id === undefined && options.flags?.volatile === undefined;
    if (!isKept) return super.broadcast(packet, options);
    const now = Date.now();
    const id = this.#offsets.next(now);
    const data = packet.data as unknown[];
    // The client learns its offset from the last argument.
    data.push(id);
    packet.nsp = this.nsp.name;
    const chunks = this.encoder.encode(packet);
    let bytes = 0;
    for (const chunk of chunks) bytes += typeof chunk === "string" ? chunk.length : chunk.byteLength;
    const share = this.#shareOf(options);
    const stored: StoredPacket = { id, emittedAt: now, data, opts: options, bytes, share, number: this.#count++ };
    this.#packets.push(stored);
    this.#bytes += bytes;
    if (share !== undefined) this.#keepWithinShare(share, stored);
    this.#dropOld(now);
    this._deliver(packet, chunks, options);
  }

  override delAll(id: SocketId): void {
    super.delAll(id);
    const share = this.#shares.get(id);
    if (share === undefined) return;
    share.isLeft = true;
    if (share.packets.length === 0) this.#shares.delete(id);
  }

  /** Whether something for this room alone was dropped after the packet at `index`. */
  #hasGap(room: Room, index: number): boolean {
    const share = this.#shares.get(room);
    return share !== undefined && share.droppedUpTo > this.#packets[index]!.number;
  }

  /** Of the one socket a packet is for; one for a room, or for everybody, is everybody's. */
  #shareOf({ rooms }: BroadcastOptions): Share | undefined {
    const [target] = rooms;
    if (rooms.size !== 1 || !this.sids.has(target!)) return undefined;
    let share = this.#shares.get(target!);
    if (share === undefined) {
      share = { id: target!, packets: [], bytes: 0, droppedUpTo: -1, isLeft: false };
      this.#shares.set(target!, share);
    }
    share.isLeft = false;
    return share;
  }

  /** The oldest packets for a socket make room for its newest, never those of others. */
  #keepWithinShare(share: Share, newest: StoredPacket): void {
    const { packets } = share;
    packets.push(newest);
    share.bytes += newest.bytes;
    while (packets.length > this.#maxPackets * SHARE_OF_ONE || share.bytes > this.#maxBytes * SHARE_OF_ONE) {
      const oldest = packets.shift();
      if (oldest === undefined) return;
      share.bytes -= oldest.bytes;
      share.droppedUpTo = oldest.number;
      this.#bytes -= oldest.bytes;
      this.#packets.splice(indexOfNumber(this.#packets, oldest.number), 1);
    }
  }

  /** Takes note that the oldest packet of all is dropped. */
  #release({ bytes, share }: StoredPacket): void {
    this.#bytes -= bytes;
    if (share === undefined) return;
    share.packets.shift();
    share.bytes -= bytes;
    if (share.packets.length === 0 && share.isLeft) this.#shares.delete(share.id);
  }

  #dropOld(now: number): void {
    const packets = this.#packets;
    let count = 0;
    while (this.#bytes > this.#maxBytes && count < packets.length) this.#release(packets[count++]!);
    if (packets.length - count > this.#maxPackets || this.#isStale(packets[count], now)) {
      const fewest = packets.length - Math.floor(this.#maxPackets * 0.9);
      while (count < fewest || this.#isExpired(packets[count]?.emittedAt ?? now, now)) {
        this.#release(packets[count++]!);
      }
    }
    if (count > 0) packets.splice(0, count);
  }

  /** Expired for long enough that it pays to drop it, and others with it. */
  #isStale(packet: StoredPacket | undefined, now: number): boolean {
    return packet !== undefined && this.#isExpired(packet.emittedAt + DROP_DELAY_MS, now);
  }

  #isExpired(since: number, now: number): boolean {
    return now - since > this.#maxDisconnectionMs;
  }
}

function isTarget(rooms: readonly Room[], { rooms: wanted, except }: BroadcastOptions): boolean {
  const included = wanted.size === 0 || rooms.some((room) => wanted.has(room));
  return included && !rooms.some((room) => except?.has(room));
}

/** Where the packet with this number is: they stand in ascending order, with gaps. */
function indexOfNumber(packets: readonly StoredPacket[], wanted: number): number {
  let low = 0;
  let high = packets.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (packets[middle]!.number < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
