import { createDebug } from "@plugboard/engine/internal";
import { DisconnectReason, PacketType, type Packet } from "@plugboard/protocol";
import { DEFAULT_PARSER } from "./default-parser.js";
import { NO_FLAGS, writeOptionsOf, type WriteOptions } from "./emit-flags.js";
import { connectErrorOf } from "./connect-error.js";
import { EVENT_WINDOW_SECONDS, MAX_NAMESPACE_NAME_LENGTH, tooManyEvents, tooManyNamespaces } from "./limits.js";
import type {
  AuthData,
  Chunk,
  ClientPart,
  Connection,
  HandshakeRequest,
  NamespacePart,
  PacketDecoder,
  PacketEncoder,
  ServerPart,
  SocketPart,
} from "./parts.js";

const debug = createDebug("socket.io:client");
const debugParser = createDebug("socket.io-parser");

/** How many left namespaces a client remembers. */
const MAX_LEFT_NAMESPACES = 100;

/**
 * One Engine.IO connection and the sockets it carries, one per namespace (spec/server.md 3.7). It decodes what comes in
 * and refuses what the protocol forbids.
 */
export class ClientImplementation implements ClientPart {
  static readonly name: string = "Client";
  readonly server: ServerPart;
  readonly conn: Connection;
  /** Id of the connection. Secret: it entitles to send and receive in the client's place. */
  readonly id: string;
  readonly encoder: PacketEncoder;
  readonly decoder: PacketDecoder;
  readonly nsps: Map<string, SocketPart> = new Map();
  connectTimeout: ReturnType<typeof setTimeout> | undefined = undefined;
  _packetCount = 0;
  /** When the packets began to be counted, in whole milliseconds. */
  _windowStart: number;
  _unrecoverable = false;
  _ended = false;
  readonly _decodesStraight: boolean;
  /** Namespaces that were asked for, each with its socket once there is one. There only while there are some. */
  _pending: Map<string, SocketPart | undefined> | undefined = undefined;
  /** Namespaces that were left: what was on its way meanwhile is no violation. Made on first use. */
  _left: Set<string> | undefined = undefined;

  constructor(server: ServerPart, conn: Connection) {
    this.server = server;
    this.conn = conn;
    this.id = conn.id;
    this.encoder = server.encoder;
    this._windowStart = Math.trunc(performance.now());
    this.decoder = server._createDecoder(conn);
    this._decodesStraight = server._parser === DEFAULT_PARSER;
    if (!this._decodesStraight) this.decoder.on("decoded", (packet) => this.ondecoded(packet));
    if (conn.attachReceiver === undefined) this._listen();
    else conn.attachReceiver(this);
    this._armConnectTimeout();
  }

  /** To a connection of an engine that is not ours. */
  _listen(): void {
    const { conn } = this;
    conn.on("data", (data) => this.ondata(data));
    conn.on("error", (error) => this.onerror(error));
    conn.on("close", (reason, description) => this.onclose(reason as string, description));
  }

  /** Sockets by id, as they are now. */
  get sockets(): Map<string, SocketPart> {
    return new Map(Array.from(this.nsps.values(), (socket) => [socket.id, socket]));
  }

  get request(): HandshakeRequest | undefined {
    return this.conn.request;
  }

  // Receiving.

  ondata(data: unknown): void {
    if (this._ended) return;
    let packet: Packet | undefined;
    try {
      if (this._decodesStraight) packet = this.decoder.decode!(data);
      else this.decoder.add(data);
    } catch (error) {
      debugParser("cannot decode what %s sends: %s", this.id, error);
      this.onerror(error);
      return;
    }
    if (packet !== undefined) this.ondecoded(packet);
  }

  ondecoded(packet: Packet): void {
    if (++this._packetCount > this.server._limits.maxEventsPerSecond * EVENT_WINDOW_SECONDS && this._isFlood()) {
      this.onerror(tooManyEvents());
      return;
    }
    const { type } = packet;
    const socket = this.nsps.get(packet.nsp);
    if (socket !== undefined && type !== PacketType.CONNECT && type !== PacketType.CONNECT_ERROR) {
      socket._onpacket(packet);
    } else if (type === PacketType.CONNECT && socket === undefined && !this._pending?.has(packet.nsp)) {
      this.connect(packet.nsp, (packet.data as AuthData | null | undefined) ?? {});
    } else if (type === PacketType.CONNECT || type === PacketType.CONNECT_ERROR || !this._left?.has(packet.nsp)) {
      // The peer does not keep to the protocol (spec/server.md 2.5).
      debug("%s breaks the protocol: packet of type %d for %s", this.id, type, packet.nsp);
      this.close();
    }
  }

  /** Looks at the clock only when enough packets have come to fill a window. */
  _isFlood(): boolean {
    const now = Math.trunc(performance.now());
    const isFlood = now - this._windowStart < EVENT_WINDOW_SECONDS * 1000;
    this._windowStart = now;
    this._packetCount = 0;
    return isFlood;
  }

  // Joining and leaving.

  connect(name: string, auth: AuthData): void {
    if (this.server._draining) return;
    debug("%s asks for %s", this.id, name);
    const { maxNamespacesPerClient, maxPendingConnects } = this.server._limits;
    const pendingCount = this._pending?.size ?? 0;
    if (pendingCount >= maxPendingConnects || this.nsps.size + pendingCount >= maxNamespacesPerClient) {
      this._refuse(name, tooManyNamespaces());
      return;
    }
    const namespace = this.server._nsps.get(name);
    if (namespace === undefined && name.length > MAX_NAMESPACE_NAME_LENGTH) {
      this._refuse(name, new Error("Invalid namespace"));
      return;
    }
    this._pending ??= new Map();
    this._pending.set(name, undefined);
    if (namespace !== undefined) {
      this.doConnect(namespace, auth);
      return;
    }
    this.server._checkNamespace(this, name, auth, (found) => {
      if (!(found instanceof Error)) {
        this.doConnect(found, auth);
        return;
      }
      this._endPending(name);
      this._refuse(name, found);
    });
  }

  /** Tells the client that it may not connect. `data` of the error that cannot be sent stays here. */
  _refuse(name: string, error: unknown): void {
    const { message, data } = connectErrorOf(error);
    debug("%s is refused %s: %s", this.id, name, message);
    try {
      this._packet({
        type: PacketType.CONNECT_ERROR,
        nsp: name,
        data: data === undefined ? { message } : { message, data },
      });
    } catch (fault) {
      this.server._guard.report(["connect_error"], undefined, fault);
      this._packet({ type: PacketType.CONNECT_ERROR, nsp: name, data: { message } });
    }
  }

  doConnect(namespace: NamespacePart, auth: AuthData): void {
    const { name } = namespace;
    namespace._add(this, auth, (socket) => {
      this._endPending(name);
      if (socket === undefined) return;
      this._clearConnectTimeout();
      this.nsps.set(name, socket);
      this._left?.delete(name);
    });
  }

  /** Told by the namespace as long as its middlewares run. */
  _onPending(socket: SocketPart): void {
    this._pending?.set(socket.nsp.name, socket);
  }

  _endPending(name: string): void {
    this._pending?.delete(name);
    if (this._pending?.size === 0) this._pending = undefined;
  }

  _armConnectTimeout(): void {
    this.connectTimeout = setTimeout(() => this.close(), this.server._connectTimeout);
  }

  _clearConnectTimeout(): void {
    clearTimeout(this.connectTimeout);
    this.connectTimeout = undefined;
  }

  _remove(socket: SocketPart): void {
    const { name } = socket.nsp;
    this.nsps.delete(name);
    if (this._ended) return;
    if (this.nsps.size === 0) this._armConnectTimeout();
    this._left ??= new Set();
    if (this._left.size >= MAX_LEFT_NAMESPACES) this._left.clear();
    this._left.add(name);
  }

  // Sending.

  _packet(packet: Packet | Chunk[], options: WriteOptions = writeOptionsOf(NO_FLAGS)): void {
    if (this.conn.readyState !== "open") return;
    this.writeToEngine(options.preEncoded ? (packet as Chunk[]) : this.encoder.encode(packet as Packet), options);
  }

  /** Writes the chunks of one packet, or none of them when it is volatile and the transport busy. */
  writeToEngine(chunks: Chunk[], options: WriteOptions): void {
    if (options.volatile && !this.conn.transport.writable) return;
    const { parts } = options;
    for (let i = 0; i < chunks.length; i++) this.conn.write(chunks[i]!, parts?.[i] ?? options);
  }

  // Closing.

  close(): void {
    if (this.conn.readyState !== "open") return;
    debug("%s is sent away, %d namespaces joined", this.id, this.nsps.size);
    this.conn.close();
    // In vain when the connection has closed at once: then `onclose` has run.
    this.onclose(DisconnectReason.FORCED_SERVER_CLOSE);
  }

  /** Ends each socket with a DISCONNECT packet, so that the client stays away, then the connection. */
  _disconnect(): void {
    for (const socket of this.nsps.values()) socket.disconnect();
    this.close();
  }

  /** Ends the connection as if it was lost, and forgets what could be recovered: the client comes back as a new one. */
  _rehandshake(reason: string | undefined): void {
    this._unrecoverable = true;
    this.onclose(DisconnectReason.FORCED_SERVER_CLOSE, reason);
    this.conn.close();
  }

  /** Ends a connection that was lost without a word: its client is back on another one, and goes on there. */
  _supersede(): void {
    this.onclose(DisconnectReason.TRANSPORT_CLOSE, "the client is back on another connection");
    // Nobody takes any more what is still to be sent.
    this.conn.close(true);
  }

  onclose(reason: string, description?: unknown): void {
    if (this._ended) return;
    this._ended = true;
    debug("%s is gone: %s", this.id, reason);
    this._clearConnectTimeout();
    for (const socket of this.nsps.values()) socket._onclose(reason, description);
    for (const socket of this._pending?.values() ?? []) socket?._abandon();
    this.nsps.clear();
    this._pending = undefined;
    this.decoder.destroy();
  }

  onerror(error: unknown): void {
    debug("%s fails: %s", this.id, error);
    for (const socket of this.nsps.values()) socket._onerror(error);
    this.conn.close();
  }
}
