/*
 * Invariant: any sequence of packets on any connection, whatever the application does with them, is answered by packets
 * that keep to the protocol; the connection goes on or closes for a declared reason, other clients are served, and
 * nothing is left of a client that has gone; in linear time and bounded memory.
 */
import { Decoder, DisconnectReason, PacketType, ProtocolError, type Packet } from "@plugboard/protocol";
import { type ListenerFailure, type Namespace, Server, type Socket } from "@plugboard/server";
import {
  type FuzzInput,
  type FuzzTarget,
  jsonText,
  mutateText,
  packetText,
  type Random,
  turn,
} from "@plugboard/testkit/fuzz";
import { FakeConnection, FakeEngine } from "../src/fake-engine.js";

/** Chunks that are not sent but done: the connection is lost and the client connects anew; a turn passes. */
const DROP = "\0drop";
const TURN = "\0turn";
/** Stand for what the server said last: the id of a packet to be answered, and what recovers a session. */
const ACK_ID = "$ACK";
const PRIVATE_ID = "$PID";
const OFFSET = "$OFFSET";

const LOBBY = "lobby";
const REASONS: ReadonlySet<string> = new Set(Object.values(DisconnectReason));
const NAMES = ["CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR"] as const;

const EVENTS = [
  "echo",
  "join",
  "leave",
  "to",
  "ask",
  "ask all",
  "keep",
  "bye",
  "again",
  "refuse",
  "error",
  "__proto__",
  "message",
];
const GRAMMAR = { namespaces: ["/", "/", "/", "/admin", "/dyn-1", "/dyn-2", "/fn-1", "/nope"], events: EVENTS };
const CONNECTS = [
  "0",
  "0",
  "0",
  "0/admin,",
  '0/admin,{"token":1}',
  '0/admin,{"token":{"a":1}}',
  "0/dyn-1,",
  "0/fn-1,",
  "0/never,",
  "0/nope,",
];
const CONVERSATION = [
  "1",
  "1/admin,",
  "1/dyn-1,",
  `3${ACK_ID}["yes"]`,
  `3${ACK_ID}[]`,
  `0{"pid":"${PRIVATE_ID}","offset":"${OFFSET}"}`,
];

type Chunks = Array<string | Uint8Array>;

function generate(random: Random): FuzzInput {
  // Mostly into the main namespace, where the events of the application are: what is out of order ends the connection.
  const chunks: Chunks = random.oneIn(8) ? [] : [random.oneIn(4) ? random.pick(CONNECTS) : "0", TURN];
  for (let left = 1 + random.small(8); left > 0; left--) chunks.push(...someChunks(random));
  return [random.pick(["plain", "recovery"]), ...chunks];
}

function someChunks(random: Random): Chunks {
  const kind = random.int(20);
  if (kind === 0) return [DROP, random.pick(CONNECTS), TURN, `0{"pid":"${PRIVATE_ID}","offset":"${OFFSET}"}`, TURN];
  if (kind === 1) return [random.pick(CONNECTS), random.oneIn(2) ? DROP : TURN];
  if (kind === 2) return [random.pick(CONVERSATION)];
  if (kind === 3) return [random.pick(CONNECTS)];
  if (kind === 4) return [mutateText(random, packetText(random, GRAMMAR), packetText(random, GRAMMAR))];
  if (kind === 5)
    return [
      `51-["${random.pick(EVENTS)}",${jsonText(random)},{"_placeholder":true,"num":0}]`,
      random.bytes(random.small(20)),
    ];
  if (kind === 6) return [packetText(random, GRAMMAR)];
  const id = random.oneIn(2) ? String(random.int(100)) : "";
  return [`2${id}["${random.pick(EVENTS)}",${jsonText(random)}]`];
}

const many = (mode: string, size: number, length: number, chunk: (index: number) => string): FuzzInput => [
  mode,
  "0",
  TURN,
  ...Array.from({ length: Math.floor(size / length) }, (_, index) => chunk(index)),
];

/** A server on connections without a transport, and an application that trusts its clients with everything. */
class App {
  readonly io: Server;
  readonly #engine: FakeEngine = new FakeEngine();
  readonly #isRecovering: boolean;
  readonly #bystander: FakeConnection;
  #failure: unknown;
  #count = 0;

  constructor(isRecovering: boolean) {
    this.#isRecovering = isRecovering;
    this.io = new Server({
      cleanupEmptyChildNamespaces: true,
      maxEventsPerSecond: Infinity,
      onListenerError: (failure: ListenerFailure) => this.#onListenerError(failure),
      ...(isRecovering && {
        connectionStateRecovery: { maxStoredPackets: 50, maxStoredSessions: 50, skipMiddlewares: false },
      }),
    });
    this.io.bind(this.#engine as unknown as Parameters<Server["bind"]>[0]);
    this.io.on("connection", (socket) => this.#serve(socket));
    this.io.of("/admin").use((socket, next) => {
      const { token } = socket.handshake.auth;
      setImmediate(() =>
        next(token === undefined ? Object.assign(new Error("no"), { data: socket.handshake }) : undefined),
      );
    });
    this.io.of("/admin").on("connection", (socket) => this.#serve(socket));
    this.io.of("/never").use(() => {});
    this.io.of(/^\/dyn-\w+$/).on("connection", (socket) => this.#serve(socket));
    this.io
      .of((name, _auth, decide) => setImmediate(() => decide(null, name.startsWith("/fn-"))))
      .on("connection", (socket) => this.#serve(socket));
    this.#bystander = this.connect();
  }

  connect(): FakeConnection {
    const connection = new FakeConnection(`connection ${this.#count++}`, { headers: {}, url: "/" });
    this.#engine.emit("connection", connection);
    return connection;
  }

  #serve(socket: Socket): void {
    const { nsp } = socket;
    socket.use((event, next) => next(event[0] === "refuse" ? new Error("refused") : undefined));
    socket.onAny((name: unknown) => {
      if (typeof name !== "string" && typeof name !== "number") this.#failure = new Error("an event without a name");
    });
    socket.on("echo", (...args: unknown[]) => {
      const ack = args.at(-1);
      if (typeof ack === "function") ack(...args.slice(0, -1));
      else socket.emit("echo", ...args);
    });
    socket.on("join", (room: string) => void socket.join(room));
    socket.on("leave", (room: string) => void socket.leave(room));
    socket.on(
      "to",
      (room: string, ...args: unknown[]) =>
        void nsp
          .to(room)
          .to(LOBBY)
          .emit("to", ...args),
    );
    socket.on("ask", (...args: unknown[]) => void socket.emit("ask", ...args.filter(isNoFunction), () => {}));
    socket.on("ask all", (arg: unknown) => void nsp.timeout(1).emit("ask all", isNoFunction(arg) ? arg : 0, () => {}));
    socket.on("keep", (data: unknown) => void (socket.data = data));
    socket.on("bye", (close: unknown) => void socket.disconnect(close === true));
    socket.on("again", () => socket.rehandshake("again"));
    socket.on("disconnect", (reason) => {
      if (!REASONS.has(reason)) this.#failure = new Error(`left for no declared reason: ${reason}`);
    });
  }

  /** The application sends on what it gets, which may be nested too deeply, or be more arguments than a call can have. */
  #onListenerError({ error }: ListenerFailure): void {
    const isTooDeep = error instanceof ProtocolError && error.code === "SIO_DATA_TOO_DEEP";
    if (!isTooDeep && !(error instanceof RangeError)) this.#failure = error;
  }

  checkFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }

  async checkOthers(): Promise<void> {
    await this.#joinBystander();
    const text = `probe ${this.#count++}`;
    this.#bystander.take();
    this.#bystander.receive(`27["echo","${text}"]`);
    await turn();
    const answer = this.#bystander.take();
    if (!answer.includes(`37["${text}"]`)) throw new Error(`no echo: ${answer.join()}`);
    this.#checkNothingLeft();
    this.checkFailure();
  }

  async #joinBystander(): Promise<void> {
    if (this.io.sockets.sockets.size > 0) return;
    this.#bystander.receive("0");
    await turn();
    this.#bystander.receive(`2["join","${LOBBY}"]`);
  }

  #checkNothingLeft(): void {
    const { _nsps: namespaces } = this.io as unknown as { _nsps: Map<string, Namespace> };
    for (const [name, { sockets, adapter }] of namespaces) {
      const left = sockets.size - (name === "/" ? 1 : 0);
      const rooms = adapter.rooms.size - (name === "/" ? 2 : 0);
      const sids = adapter.sids.size - (name === "/" ? 1 : 0);
      const pending = (this.io.of(name) as unknown as { _preConnectSockets: Map<string, unknown> })._preConnectSockets
        .size;
      if (left + rooms + sids + pending > 0) {
        throw new Error(`in ${name} are left: ${left} sockets, ${rooms} rooms, ${sids} sids, ${pending} pending`);
      }
    }
    if (namespaces.size !== 3) throw new Error(`namespaces are left: ${[...namespaces.keys()].join()}`);
  }

  get isRecovering(): boolean {
    return this.#isRecovering;
  }
}

function isNoFunction(value: unknown): boolean {
  return typeof value !== "function";
}

/** A client that says what it is told to say, and reads the answers. */
class HostileClient {
  readonly #app: App;
  #connection: FakeConnection;
  #decoder = new Decoder({ maxAttachments: Infinity, maxPartialBytes: Infinity });
  readonly #heard: Record<string, string> = { [ACK_ID]: "0", [PRIVATE_ID]: "none", [OFFSET]: "none" };
  #last = "nothing";

  constructor(app: App) {
    this.#app = app;
    this.#connection = app.connect();
  }

  async play(chunks: FuzzInput): Promise<string> {
    for (const chunk of chunks) {
      if (chunk === DROP) this.#reconnect();
      else if (chunk === TURN) await turn();
      else this.#connection.receive(typeof chunk === "string" ? this.#filledIn(chunk) : chunk);
      this.#read();
    }
    await turn();
    this.#read();
    const state = this.#connection.readyState;
    this.#connection.drop();
    return `${state} after ${this.#last}`;
  }

  #reconnect(): void {
    this.#connection.drop();
    this.#connection = this.#app.connect();
    this.#decoder.destroy();
  }

  #filledIn(text: string): string {
    return text.includes("$") ? text.replace(/\$(?:ACK|PID|OFFSET)/g, (name) => this.#heard[name] as string) : text;
  }

  #read(): void {
    if (this.#connection.written.length === 0) return;
    for (const chunk of this.#connection.take()) {
      const packet = this.#decoder.decode(chunk);
      if (packet !== undefined) this.#note(packet);
    }
  }

  #note({ type, id, data }: Packet): void {
    this.#last = NAMES[type as 0];
    if (type === PacketType.EVENT && id !== undefined) this.#heard[ACK_ID] = String(id);
    if (!this.#app.isRecovering) return;
    if (type === PacketType.CONNECT) this.#heard[PRIVATE_ID] = String((data as { pid?: unknown } | undefined)?.pid);
    const offset = type === PacketType.EVENT ? (data as unknown[]).at(-1) : undefined;
    if (typeof offset === "string" && /^[\w.-]+$/.test(offset)) this.#heard[OFFSET] = offset;
  }
}

export const target: FuzzTarget = {
  name: "server-packets",
  generate,
  growing: {
    echoes: (size) => many("plain", size, 12, () => '2["echo",0]'),
    "echoes with ack": (size) => many("plain", size, 12, (index) => `2${index}["echo"]`),
    "rooms to join": (size) => many("plain", size, 16, (index) => `2["join","r${index}"]`),
    "questions to answer": (size) => many("plain", size, 10, () => '2["ask",0]'),
    broadcasts: (size) => many("plain", size, 14, () => `2["to","${LOBBY}"]`),
    "stored broadcasts": (size) => many("recovery", size, 14, () => `2["to","${LOBBY}"]`),
    "namespaces to join": (size) => many("plain", size, 14, (index) => `0/dyn-${index},`),
    "namespaces to ask for": (size) => many("plain", size, 14, (index) => `0/fn-${index},`),
    "namespaces that are not": (size) => many("plain", size, 14, (index) => `0/nope-${index},`),
    "joining and leaving": (size) => many("plain", size, 10, (index) => (index % 2 === 0 ? "0/dyn-1," : "1/dyn-1,")),
    "leaving many": (size) => many("plain", size, 12, (index) => `${index % 2}/dyn-${index >> 1},`),
    "a session that is no session": (size) => [
      "recovery",
      `0{"pid":"${"a".repeat(size / 2)}","offset":"${"b".repeat(size / 2)}"}`,
    ],
    "nested arrays to echo": (size) => ["plain", "0", TURN, `2["echo",${"[".repeat(size / 2)}${"]".repeat(size / 2)}]`],
    "placeholders to echo": (size) => [
      "plain",
      "0",
      TURN,
      `51-["echo"${',{"_placeholder":true,"num":0}'.repeat(size / 30)}]`,
      new Uint8Array(1),
    ],
    "arguments to echo": (size) => ["plain", "0", TURN, `2["echo"${",0".repeat(size / 2)}]`],
    "many arguments with ack": (size) => ["plain", "0", TURN, `21["echo"${",0".repeat(size / 2)}]`],
    "many arguments to nobody": (size) => ["plain", "0", TURN, `2["nobody"${",0".repeat(size / 2)}]`],
    "packets after the end": (size) => many("plain", size, 12, () => "5nonsense"),
  },
  async open() {
    const apps = { plain: new App(false), recovery: new App(true) };
    return {
      async run([mode, ...chunks]) {
        const app = mode === "recovery" ? apps.recovery : apps.plain;
        const outcome = await new HostileClient(app).play(chunks);
        app.checkFailure();
        return outcome;
      },
      async checkOthers() {
        await turn();
        await apps.plain.checkOthers();
        await apps.recovery.checkOthers();
      },
      async close() {
        await apps.plain.io.close();
        await apps.recovery.io.close();
      },
    };
  },
};
