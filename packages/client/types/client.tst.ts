import { Agent } from "node:https";
import {
  connect,
  io,
  Manager,
  type ManagerOptions,
  protocol,
  Socket,
  type SocketOptions,
  Transport,
  WebSocket,
  type WritePacket,
} from "@plugboard/client";
import * as msgpackParser from "socket.io-msgpack-parser";
import { describe, expect, test } from "tstyche";

interface Events {
  hello: (name: string) => void;
}

type Options = Partial<ManagerOptions & SocketOptions>;

describe("io", () => {
  test("takes nothing, options, a URL, or both", () => {
    expect(io).type.toBeCallableWith();
    expect(io).type.toBeCallableWith({ path: "/x", auth: { token: "x" } });
    expect(io).type.toBeCallableWith("http://127.0.0.1:3000");
    expect(io).type.toBeCallableWith("http://127.0.0.1:3000", {
      transports: ["websocket"],
      retries: 3,
      ackTimeout: 1_000,
    });
    expect(io).type.toBeCallableWith("/admin");
    expect(io).type.toBeCallableWith(undefined, { path: "/x" });
    expect(io("/admin")).type.toBe<Socket>();
    expect(io({ forceNew: true })).type.toBe<Socket>();
  });

  test("takes a URL that may be missing", () => {
    expect(io).type.toBeCallableWith({} as string | undefined);
    expect(io).type.toBeCallableWith({} as string | undefined, { autoConnect: false });
    expect(io).type.toBeCallableWith({} as string | undefined, {} as Options | undefined);
  });

  test("refuses what is neither, and options that do not exist", () => {
    expect(io).type.not.toBeCallableWith(3000);
    expect(io).type.not.toBeCallableWith("/admin", "/x");
    expect(io).type.not.toBeCallableWith({ pahth: "/x" });
    expect(io).type.not.toBeCallableWith({ path: 1 });
    expect(io).type.not.toBeCallableWith("/admin", { reconection: false });
  });

  test("is not generic", () => {
    // @ts-expect-error Expected 0 type arguments, but got 1.
    io<Events>();
  });

  test("carries what a module exports, for CommonJS and script tags", () => {
    expect(io.io).type.toBe<typeof io>();
    expect(io.connect).type.toBe<typeof io>();
    expect(connect).type.toBe<typeof io>();
    expect(io.Manager).type.toBe<typeof Manager>();
    expect(io.Socket).type.toBe<typeof Socket>();
    expect(io.protocol).type.toBe<number>();
    expect(protocol).type.toBe<number>();
    expect(new io.Manager("http://127.0.0.1:3000").socket("/")).type.toBe<Socket>();
  });
});

describe("options", () => {
  test("may be built in steps", () => {
    const options: Options = {};
    options.path = "/x";
    options.query = { room: 1, token: "x" };
    options.extraHeaders = { authorization: "x" };
    options.transports = ["websocket"];
    options.transportOptions = { polling: { extraHeaders: { a: "b" } } };
    options.auth = { token: "x" };
    expect(io).type.toBeCallableWith("/admin", options);
    expect<Socket["io"]["opts"]>().type.toBe<Partial<ManagerOptions>>();
  });

  test("of a manager are complete without those of the engine", () => {
    expect<ManagerOptions["reconnectionDelay"]>().type.toBe<number>();
    expect<ManagerOptions["timeout"]>().type.toBe<number>();
    expect<{
      forceNew: boolean;
      multiplex: boolean;
      path: string;
      reconnection: boolean;
      reconnectionAttempts: number;
      reconnectionDelay: number;
      reconnectionDelayMax: number;
      randomizationFactor: number;
      timeout: number;
      autoConnect: boolean;
      parser: unknown;
    }>().type.toBeAssignableTo<ManagerOptions>();
    expect<{}>().type.toBeAssignableTo<SocketOptions>();
    expect<{}>().type.not.toBeAssignableTo<ManagerOptions>();
  });

  test("name the transports that exist, for editors, and take other names and classes as well", () => {
    type Entry = NonNullable<Options["transports"]>[number];
    expect<Extract<Entry, "polling" | "websocket" | "webtransport">>().type.toBe<
      "polling" | "websocket" | "webtransport"
    >();
    class Pigeon {
      get name(): string {
        return "pigeon";
      }
    }
    expect(io).type.toBeCallableWith({ transports: ["polling", "websocket", "webtransport"] });
    expect(io).type.toBeCallableWith({ transports: ["pigeon"] });
    expect(io).type.toBeCallableWith({ transports: [] as string[] });
    expect(io).type.toBeCallableWith({ transports: [Pigeon] });
    expect(io).type.toBeCallableWith({ transportImplementations: [Pigeon] });
    expect(io).type.not.toBeCallableWith({ transports: "websocket" });
    expect(io).type.not.toBeCallableWith({ transports: [1] });
    expect(io).type.not.toBeCallableWith({ transportImplementations: ["websocket"] });
  });

  test("take auth as an object, as a function with a callback, and as an async function", () => {
    interface Credentials {
      token: string;
    }
    expect(io).type.toBeCallableWith({ auth: { token: "x" } });
    expect(io).type.toBeCallableWith({ auth: {} as Credentials });
    io({
      auth: (cb) => {
        expect(cb).type.toBe<(data: object) => void>();
        cb({ token: "x" });
      },
    });
    io({
      auth: async (cb) => {
        expect(cb).type.toBe<(data: object) => void>();
        cb({ token: await Promise.resolve("x") });
      },
    });
    expect(io).type.toBeCallableWith({ auth: async () => ({ token: await Promise.resolve("x") }) });
    // Said in so many words, since a map of any takes functions too.
    expect<NonNullable<SocketOptions["auth"]>>().type.toBe<
      { [key: string]: any } | ((cb: (data: object) => void) => void) | (() => Promise<object>)
    >();
    expect(io).type.not.toBeCallableWith({ auth: "x" });
  });

  test("take a parser and what Node wants to know about TLS", () => {
    expect(io).type.toBeCallableWith({ parser: msgpackParser });
    expect(io).type.toBeCallableWith({ agent: new Agent(), rejectUnauthorized: false });
    expect(io).type.toBeCallableWith({
      ca: new Uint8Array(1),
      key: "x",
      cert: ["x"],
      perMessageDeflate: { threshold: 1 },
    });
    expect(io).type.toBeCallableWith({ perMessageDeflate: {} as { threshold: number; level: number } });
  });

  test("of a socket may be left out one by one", () => {
    const manager = new Manager("http://127.0.0.1:3000");
    expect(manager.socket).type.toBeCallableWith("/");
    expect(manager.socket).type.toBeCallableWith("/", { auth: { token: "x" } });
    expect(manager.socket).type.toBeCallableWith("/", { retries: 1, ackTimeout: 1_000 });
    expect(manager.socket).type.not.toBeCallableWith();
    expect(manager.socket).type.not.toBeCallableWith("/", { path: "/x" });
  });
});

describe("the constructor of a manager", () => {
  test("takes nothing, options, a URL, or both", () => {
    expect(Manager).type.toBeConstructableWith();
    expect(Manager).type.toBeConstructableWith({ autoConnect: false });
    expect(Manager).type.toBeConstructableWith("http://127.0.0.1:3000");
    expect(Manager).type.toBeConstructableWith("http://127.0.0.1:3000", { autoConnect: false });
    expect(Manager).type.toBeConstructableWith({} as string | Partial<ManagerOptions> | undefined);
    expect(Manager).type.not.toBeConstructableWith(3000);
    expect(Manager).type.not.toBeConstructableWith({ pahth: "/x" });
  });

  test("takes the types of events, which its sockets do not have", () => {
    expect(new Manager<Events>()).type.toBe<Manager<Events>>();
    expect(new Manager<Events, { bye: () => void }>()).type.toBe<Manager<Events, { bye: () => void }>>();
    expect(new Manager<Events>().socket("/")).type.toBe<Socket>();
    const typed: Socket<Events> = new Manager().socket("/");
    expect(typed.emit).type.not.toBeCallableWith("hello", 1);
  });
});

describe("getters that are setters", () => {
  const manager = new Manager<Events>();

  test("give the value without an argument and the manager with one", () => {
    expect(manager.reconnection()).type.toBe<boolean>();
    expect(manager.reconnection(false)).type.toBe<Manager<Events>>();
    expect(manager.timeout()).type.toBe<number | boolean>();
    expect(manager.timeout(1)).type.toBe<Manager<Events>>();
    expect(manager.timeout(false)).type.toBe<Manager<Events>>();
    expect(manager.reconnectionAttempts()).type.toBe<number>();
    expect(manager.reconnectionAttempts(1)).type.toBe<Manager<Events>>();
    expect(manager.reconnectionAttempts({} as number | undefined)).type.toBe<number | Manager<Events>>();
    expect(manager.reconnectionAttempts).type.not.toBeCallableWith("1");
    expect(manager.reconnectionDelay).type.toBe<typeof manager.reconnectionAttempts>();
    expect(manager.reconnectionDelayMax).type.toBe<typeof manager.reconnectionAttempts>();
    expect(manager.randomizationFactor).type.toBe<typeof manager.reconnectionAttempts>();
  });

  test("can be chained", () => {
    expect(manager.reconnection(true).reconnectionDelay(1).reconnectionDelayMax(2).timeout(3).open()).type.toBe<
      Manager<Events>
    >();
  });
});

describe("members of a manager", () => {
  const manager = new Manager();

  test("open it, with or without a callback", () => {
    expect(manager.open).type.toBeCallableWith();
    expect(manager.connect).type.toBeCallableWith((_error?: Error) => {});
    expect(manager.open).type.not.toBeCallableWith(1);
  });

  test("tell its state", () => {
    expect(manager._readyState).type.toBe<"opening" | "open" | "closed">();
    expect(manager._reconnecting).type.toBe<boolean>();
    expect(manager._close()).type.toBe<void>();
  });

  test("change the options of the next attempt", () => {
    manager.opts.query = { attempt: "2" };
    manager.opts.transports = ["polling", "websocket"];
    manager.opts.extraHeaders = { authorization: "x" };
  });

  test("are not those inside it", () => {
    type Inside = "nsps" | "subs" | "backoff" | "encoder" | "decoder" | "onclose" | "skipReconnect" | "timers";
    expect<Extract<keyof Manager, Inside>>().type.toBe<never>();
  });
});

describe("members of an engine", () => {
  const { engine } = new Manager();

  test("tell its state", () => {
    expect(engine.id).type.toBe<string>();
    expect(engine.transport.name).type.toBe<string>();
    expect(engine.transport.writable).type.toBe<boolean>();
    expect(engine.readyState).type.toBe<"opening" | "open" | "closing" | "closed">();
    expect(engine.writeBuffer.length).type.toBe<number>();
    expect(engine.opts.path).type.toBe<string | undefined>();
  });

  test("choose how bytes are handed over", () => {
    expect(engine.binaryType).type.toBe<"nodebuffer" | "arraybuffer" | "blob">();
    engine.binaryType = "arraybuffer";
  });

  test("send and close", () => {
    expect(engine.write).type.toBeCallableWith("x");
    expect(engine.send).type.toBeCallableWith(new Uint8Array(1), { compress: false }, () => {});
    expect(engine.close()).type.toBe<typeof engine>();
  });
});

describe("members of a socket", () => {
  const socket = {} as Socket<Events>;

  test("tell its state", () => {
    expect(socket.id).type.toBe<string | undefined>();
    expect(socket.connected).type.toBe<boolean>();
    expect(socket.disconnected).type.toBe<boolean>();
    expect(socket.recovered).type.toBe<boolean>();
    expect(socket.active).type.toBe<boolean>();
    expect(socket.nsp).type.toBe<string>();
    expect(socket.receiveBuffer).type.toBe<ReadonlyArray<any>[]>();
    socket.sendBuffer = [];
    expect(socket.sendBuffer[0]?.data).type.toBe<any>();
  });

  test("can be set where programs set them, and only there", () => {
    socket.id = "x";
    socket.connected = true;
    socket.auth = { token: "x" };
    socket.auth = (cb) => cb({ token: "x" });
    socket.auth = async () => ({ token: await Promise.resolve("x") });
    // @ts-expect-error Cannot assign to 'io' because it is a read-only property.
    socket.io = new Manager();
    // @ts-expect-error Cannot assign to 'disconnected' because it is a read-only property.
    socket.disconnected = true;
    // @ts-expect-error Cannot assign to 'active' because it is a read-only property.
    socket.active = true;
  });

  test("can be chained", () => {
    expect(socket.connect().disconnect().open().close().send("x").compress(true).volatile).type.toBe<Socket<Events>>();
    expect(
      socket
        .on("hello", () => {})
        .once("connect", () => {})
        .off("hello"),
    ).type.toBe<Socket<Events>>();
    expect(
      socket
        .onAny(() => {})
        .prependAny(() => {})
        .offAny()
        .onAnyOutgoing(() => {})
        .prependAnyOutgoing(() => {})
        .offAnyOutgoing(),
    ).type.toBe<Socket<Events>>();
  });

  test("are not those inside it", () => {
    type Inside = "_queue" | "acks" | "onpacket" | "subs" | "ids" | "flags" | "dispatch" | "emitReserved";
    expect<Extract<keyof Socket, Inside>>().type.toBe<never>();
  });
});

describe("typed sockets and managers where others are asked for", () => {
  const typed = {} as Socket<Events, { bye: () => void }>;
  const takesSocket = (_socket: Socket): void => {};
  const takesManager = (_manager: Manager): void => {};

  test("fit parameters that are untyped", () => {
    expect(takesSocket).type.toBeCallableWith(typed);
    expect(takesManager).type.toBeCallableWith(typed.io);
    expect(takesManager).type.toBeCallableWith(new Manager<Events>());
  });

  test("fit functions that are generic in the events", () => {
    function once<L extends { [event: string]: any }, E extends { [event: string]: any }>(
      socket: Socket<L, E>,
    ): Promise<void> {
      return new Promise((resolve) => {
        socket.once("connect", () => resolve());
      });
    }
    expect(once).type.toBeCallableWith(typed);
    expect(once).type.toBeCallableWith(io());
  });
});

describe("classes that extend ours", () => {
  test("may add members to a socket and override its methods", () => {
    class Player extends Socket<Events> {
      score = 0;
      override disconnect(): this {
        return super.disconnect();
      }
    }
    expect<Player>().type.toBeAssignableTo<Socket<Events>>();
    expect(Player).type.toBeConstructableWith(new Manager(), "/game");
    expect(Player).type.toBeConstructableWith(new Manager<Events>(), "/game", { auth: { token: "x" } });
  });

  test("may be transports, which the options take", () => {
    class Pigeon extends Transport {
      override get name(): string {
        return "pigeon";
      }
      doOpen(): void {
        if (this.opts.secure) this.onError("no pigeon is secure");
        else this.onOpen();
      }
      doClose(): void {
        this.onClose({ description: "flown away" });
      }
      write(packets: readonly WritePacket[]): void {
        this.writable = false;
        for (const packet of packets) this.onData(this.encode(packet));
        this.writable = true;
        this.emitReserved("drain");
        expect(this.emitReserved).type.not.toBeCallableWith("drained");
      }
    }
    expect(io).type.toBeCallableWith({ transports: [Pigeon, WebSocket] });
    expect(io).type.toBeCallableWith({ transportImplementations: [Pigeon] });
    expect(new Pigeon({}).on).type.toBeCallableWith("error", (_error: Error) => {});
  });

  test("may be managers", () => {
    class Lobby extends Manager<Events> {
      constructor() {
        super("http://127.0.0.1:3000", { autoConnect: false });
      }
      override socket(nsp: string): Socket {
        return super.socket("/lobby" + nsp);
      }
    }
    expect<Lobby>().type.toBeAssignableTo<Manager<Events>>();
  });
});
