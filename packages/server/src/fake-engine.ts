/** For the tests of this package: connections without a transport, on the port that `io.bind()` takes engines at. */
import { EventEmitter } from "node:events";
import type { WriteOptions } from "./emit-flags.js";
import type { Chunk, Connection, HandshakeRequest } from "./parts.js";

export class FakeConnection extends EventEmitter implements Connection {
  readonly id: string;
  readonly protocol: number = 4;
  readonly request: HandshakeRequest | undefined;
  readonly remoteAddress: string | undefined = "127.0.0.1";
  readonly transport: { readonly name: string; writable: boolean } = { name: "websocket", writable: true };
  readyState: string = "open";
  /** What has been written since the last look. */
  written: { readonly chunk: Chunk; readonly options: WriteOptions | undefined }[] = [];
  /** Whether `close()` is over at once, as on an open WebSocket; otherwise it takes a `drop()`. */
  closesAtOnce = true;

  constructor(id: string, request?: Partial<HandshakeRequest>) {
    super();
    this.id = id;
    this.request = request as HandshakeRequest | undefined;
  }

  write(chunk: Chunk, options?: WriteOptions): this {
    if (this.readyState === "open") this.written.push({ chunk, options });
    return this;
  }

  close(): void {
    if (this.readyState !== "open") return;
    this.readyState = "closing";
    if (this.closesAtOnce) this.drop("forced close");
  }

  /** What the client sends. */
  receive(...chunks: unknown[]): void {
    for (const chunk of chunks) if (this.readyState === "open") this.emit("data", chunk);
  }

  /** The connection ends. */
  drop(reason = "transport close", description?: unknown): void {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    this.emit("close", reason, description);
  }

  /** The chunks written since the last look. */
  take(): Chunk[] {
    const chunks = this.written.map(({ chunk }) => chunk);
    this.written = [];
    return chunks;
  }
}

export class FakeEngine extends EventEmitter {
  readonly connections: FakeConnection[] = [];

  open(request?: Partial<HandshakeRequest>): FakeConnection {
    const connection = new FakeConnection(`engine-id-${this.connections.length}`, request);
    this.connections.push(connection);
    this.emit("connection", connection);
    return connection;
  }

  close(): void {
    for (const connection of this.connections) connection.drop("forced close");
  }

  /** Opens a connection and joins a namespace. */
  async join(name = "/", auth?: unknown, connection: FakeConnection = this.open()): Promise<Joined> {
    const prefix = name === "/" ? "" : `${name},`;
    connection.receive(`0${prefix}${auth === undefined ? "" : JSON.stringify(auth)}`);
    await turn();
    const chunks = connection.take();
    const reply = chunks.findLast((chunk) => typeof chunk === "string" && chunk.startsWith("0"));
    if (typeof reply !== "string") throw new Error(`not admitted: ${JSON.stringify(chunks)}`);
    const { sid, pid } = JSON.parse(reply.slice(1 + prefix.length)) as { sid: string; pid?: string };
    return { connection, sid, pid, chunks };
  }
}

export interface Joined {
  readonly connection: FakeConnection;
  readonly sid: string;
  readonly pid: string | undefined;
  /** All that was written while joining. */
  readonly chunks: Chunk[];
}

/** Resolves when everything that was deferred in this turn of the event loop has run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
