import { PacketType, type Packet } from "@plugboard/protocol";
import type { BroadcastOptions, Room, Session } from "./adapter-contract.js";
import { InMemoryAdapter } from "./adapter.js";
import { OffsetSequence } from "./packet-offset.js";
import type { NamespacePart } from "./parts.js";

interface StoredSession extends Omit<Session, "missedPackets"> {
  readonly disconnectedAt: number;
}

interface StoredPacket {
  readonly id: string;
  readonly emittedAt: number;
  readonly data: unknown[];
  readonly opts: BroadcastOptions;
}

/** Most packets kept per namespace: then the oldest go, and who has missed one of them starts anew. */
export const MAX_STORED_PACKETS = 10_000;
/** Most sessions kept per namespace: then the oldest go. */
const MAX_STORED_SESSIONS = 10_000;
/** Expired packets are dropped in batches, this many milliseconds late at most. */
const DROP_DELAY_MS = 60_000;

/**
 * Keeps disconnected sockets and recent packets in memory, so that a client that comes back in time gets what it has
 * missed (spec/server.md 3.10, 3.11). A session can be restored once. Both stores are bounded, and are swept when
 * something is added: no timer runs.
 */
export class SessionAwareAdapter extends InMemoryAdapter {
  readonly #maxDisconnectionMs: number;
  readonly #sessions: Map<string, StoredSession> = new Map();
  readonly #packets: StoredPacket[] = [];
  readonly #offsets: OffsetSequence = new OffsetSequence();

  constructor(nsp: NamespacePart) {
    super(nsp);
    this.#maxDisconnectionMs = nsp.server.opts.connectionStateRecovery?.maxDisconnectionDuration ?? 0;
  }

  override persistSession(session: Omit<Session, "missedPackets">): void {
    const now = Date.now();
    // Oldest first: the map is in the order of insertion.
    for (const [pid, { disconnectedAt }] of this.#sessions) {
      if (this.#sessions.size < MAX_STORED_SESSIONS && !this.#isExpired(disconnectedAt, now)) break;
      this.#sessions.delete(pid);
    }
    this.#sessions.set(session.pid, { ...session, disconnectedAt: now });
  }

  override restoreSession(pid: string, offset: string): Promise<Session | null> | null {
    const session = this.#sessions.get(pid);
    if (session === undefined) return null;
    this.#sessions.delete(pid);
    if (this.#isExpired(session.disconnectedAt, Date.now())) return null;
    const index = this.#packets.findIndex(({ id }) => id === offset);
    if (index < 0) return null;
    const missed = this.#packets.slice(index + 1).filter(({ opts }) => isTarget(session.rooms, opts));
    return Promise.resolve({ ...session, missedPackets: missed.map(({ data }) => data) });
  }

  override broadcast(packet: Packet, options: BroadcastOptions): void {
    const kept = packet.type === PacketType.EVENT && packet.id === undefined && options.flags?.volatile === undefined;
    if (kept) this.#keep(packet.data as unknown[], options);
    super.broadcast(packet, options);
  }

  #keep(data: unknown[], opts: BroadcastOptions): void {
    const now = Date.now();
    const id = this.#offsets.next(now);
    // The client learns its offset from the last argument.
    data.push(id);
    this.#packets.push({ id, emittedAt: now, data, opts });
    this.#dropOld(now);
  }

  #dropOld(now: number): void {
    const packets = this.#packets;
    if (packets.length > MAX_STORED_PACKETS) packets.splice(0, MAX_STORED_PACKETS / 10);
    if (!this.#isExpired(packets[0]!.emittedAt + DROP_DELAY_MS, now)) return;
    const fresh = packets.findIndex(({ emittedAt }) => !this.#isExpired(emittedAt, now));
    packets.splice(0, fresh);
  }

  #isExpired(since: number, now: number): boolean {
    return now - since > this.#maxDisconnectionMs;
  }
}

function isTarget(rooms: readonly Room[], { rooms: wanted, except }: BroadcastOptions): boolean {
  const included = wanted.size === 0 || rooms.some((room) => wanted.has(room));
  return included && !rooms.some((room) => except?.has(room));
}
