import { PacketType, type Packet } from "@plugboard/protocol";
import type { BroadcastOptions, Room, Session, SocketId } from "./adapter-contract.js";
import { InMemoryAdapter } from "./adapter.js";
import { OffsetSequence } from "./packet-offset.js";
import type { NamespacePart, RecoveryOptions } from "./parts.js";

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
  /** Of the one socket it was for, if it was for one. */
  readonly share: Share | undefined;
}

/** Of the store, what packets for a single socket may take: nobody pushes out what others have missed. */
const SHARE_OF_ONE = 0.1;

interface Share {
  readonly id: SocketId;
  packets: number;
  bytes: number;
  /** It has had more than its share, so it cannot be recovered. */
  isExceeded: boolean;
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
  readonly #offsets: OffsetSequence = new OffsetSequence();

  constructor(nsp: NamespacePart) {
    super(nsp);
    const recovery: Partial<RecoveryOptions> = nsp.server.opts.connectionStateRecovery ?? {};
    this.#maxDisconnectionMs = recovery.maxDisconnectionDuration ?? 0;
    this.#maxBytes = recovery.maxStoredBytes ?? Infinity;
    this.#maxPackets = recovery.maxStoredPackets ?? Infinity;
    this.#maxSessions = recovery.maxStoredSessions ?? Infinity;
  }

  override persistSession(session: Omit<Session, "missedPackets">): void {
    if (this.#shares.get(session.sid)?.isExceeded) return;
    const now = Date.now();
    // Oldest first: the map is in the order of insertion.
    for (const [pid, { disconnectedAt }] of this.#sessions) {
      if (this.#sessions.size < this.#maxSessions && !this.#isExpired(disconnectedAt, now)) break;
      this.#sessions.delete(pid);
    }
    this.#sessions.set(session.pid, { ...session, disconnectedAt: now });
  }

  override restoreSession(pid: string, offset: string): Promise<Session | null> | null {
    const session = this.#sessions.get(pid);
    if (session === undefined) return null;
    this.#sessions.delete(pid);
    if (this.#isExpired(session.disconnectedAt, Date.now())) return null;
    const index = this.#packets.findLastIndex(({ id }) => id === offset);
    if (index < 0) return null;
    const missed = this.#packets.slice(index + 1).filter(({ opts }) => isTarget(session.rooms, opts));
    return Promise.resolve({ ...session, missedPackets: missed.map(({ data }) => data) });
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
    const share = this.#count(options, bytes);
    if (!share?.isExceeded) {
      this.#packets.push({ id, emittedAt: now, data, opts: options, bytes, share });
      this.#bytes += bytes;
      this.#dropOld(now);
    }
    this._deliver(packet, chunks, options);
  }

  override delAll(id: SocketId): void {
    super.delAll(id);
    const share = this.#shares.get(id);
    if (share === undefined) return;
    share.isLeft = true;
    if (share.packets === 0 || share.isExceeded) this.#shares.delete(id);
  }

  /** Counts a packet for a single socket; one for a room, or for everybody, is everybody's. */
  #count({ rooms }: BroadcastOptions, bytes: number): Share | undefined {
    const [target] = rooms;
    if (rooms.size !== 1 || !this.sids.has(target!)) return undefined;
    let share = this.#shares.get(target!);
    if (share === undefined) {
      share = { id: target!, packets: 0, bytes: 0, isExceeded: false, isLeft: false };
      this.#shares.set(target!, share);
    }
    share.isLeft = false;
    share.isExceeded ||=
      share.packets >= this.#maxPackets * SHARE_OF_ONE || share.bytes + bytes > this.#maxBytes * SHARE_OF_ONE;
    if (share.isExceeded) return share;
    share.packets++;
    share.bytes += bytes;
    return share;
  }

  #release({ bytes, share }: StoredPacket): void {
    this.#bytes -= bytes;
    if (share === undefined) return;
    share.packets--;
    share.bytes -= bytes;
    if (share.packets === 0 && share.isLeft && this.#shares.get(share.id) === share) this.#shares.delete(share.id);
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
