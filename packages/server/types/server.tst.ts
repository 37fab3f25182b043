import type { EventEmitter } from "node:events";
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from "node:http";
import type { Http2SecureServer, Http2Server } from "node:http2";
import type { Server as HttpsServer } from "node:https";
import { createAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { Adapter, ClusterAdapterWithHeartbeat, SessionAwareAdapter } from "socket.io-adapter";
import { type ExtendedError, Namespace, Server, type ServerOptions, Socket } from "@plugboard/server";
import { describe, expect, test } from "tstyche";

interface Events {
  hello: (name: string) => void;
  question: (text: string, ack: (yes: boolean) => void) => void;
}

describe("the constructor of a server", () => {
  test("takes nothing, options, an HTTP server or a port, the latter two with options", () => {
    expect(Server).type.toBeConstructableWith();
    expect(Server).type.toBeConstructableWith({ path: "/x", cors: { origin: "*" }, pingInterval: 1_000 });
    expect(Server).type.toBeConstructableWith(3000);
    expect(Server).type.toBeConstructableWith(3000, { serveClient: false });
    expect(Server).type.toBeConstructableWith(createServer(), { transports: ["websocket"] });
    expect(Server).type.toBeConstructableWith({} as HttpServer | HttpsServer | Http2Server | Http2SecureServer);
    expect(Server).type.toBeConstructableWith(undefined, { path: "/x" });
  });

  test("refuses what it cannot attach to", () => {
    const app = (_req: unknown, _res: unknown): void => {};
    expect(Server).type.not.toBeConstructableWith(app);
    expect(Server).type.not.toBeConstructableWith("3000");
    expect(Server).type.not.toBeConstructableWith({ pahth: "/x" });
    expect(Server).type.not.toBeConstructableWith({ path: 1 });
  });

  test("takes the types of events and data", () => {
    expect(new Server<Events, Events, Events, { user: string }>()).type.toBe<
      Server<Events, Events, Events, { user: string }>
    >();
    expect(new Server<Events>(3000)).type.toBe<Server<Events>>();
    expect(new Server()).type.toBe<Server>();
  });
});

describe("options of a server", () => {
  test("may be built in steps", () => {
    const options: Partial<ServerOptions> = {};
    options.path = "/x";
    options.connectionStateRecovery = { maxDisconnectionDuration: 1_000, skipMiddlewares: false };
    options.cleanupEmptyChildNamespaces = true;
    options.allowRequest = (req, decide) => {
      expect(req).type.toBe<IncomingMessage>();
      decide(null, true);
    };
    expect(Server).type.toBeConstructableWith(options);
    expect({} as Server["opts"]).type.toBeAssignableTo<Partial<ServerOptions>>();
  });
});

describe("the adapter", () => {
  test("may be a class or a function that makes one", () => {
    const io = new Server({ adapter: Adapter });
    expect(io.adapter).type.toBeCallableWith(SessionAwareAdapter);
    expect(io.adapter).type.toBeCallableWith((nsp: Namespace) => new Adapter(nsp));
    expect(io.adapter).type.toBeCallableWith(
      class extends ClusterAdapterWithHeartbeat {
        constructor(nsp: unknown) {
          super(nsp, { heartbeatInterval: 1 });
        }
        doPublish(): Promise<string> {
          return Promise.resolve("");
        }
        doPublishResponse(): Promise<void> {
          return Promise.resolve();
        }
      },
    );
  });

  test("may be that of Redis", () => {
    const made: ReturnType<typeof createAdapter> = createAdapter({}, {});
    expect(Server).type.toBeConstructableWith({ adapter: made });
    expect(new Server().adapter).type.toBeCallableWith(made);
    expect(new Server().adapter).type.toBeCallableWith(createShardedAdapter({}, {}));
  });

  test("may not be a function that makes something else", () => {
    const io = new Server();
    expect(io.adapter).type.not.toBeCallableWith(() => "not an adapter");
    expect(io.adapter).type.not.toBeCallableWith(() => {});
    expect(io.adapter).type.not.toBeCallableWith("not an adapter");
    expect(Server).type.not.toBeConstructableWith({ adapter: () => "not an adapter" });
  });

  test("of a namespace has rooms, sids and events", () => {
    const { adapter } = new Server().of("/");
    expect(adapter.rooms).type.toBe<Map<string, Set<string>>>();
    expect(adapter.sids).type.toBe<Map<string, Set<string>>>();
    expect(adapter.on).type.toBeCallableWith("join-room", (_room: string, _id: string) => {});
  });
});

describe("getters that are setters", () => {
  test("give the value without an argument and the server with one", () => {
    const io = new Server<Events>();
    expect(io.path()).type.toBe<string>();
    expect(io.path("/x")).type.toBe<Server<Events>>();
    expect(io.connectTimeout()).type.toBe<number>();
    expect(io.connectTimeout(1)).type.toBe<Server<Events>>();
    expect(io.serveClient()).type.toBe<boolean>();
    expect(io.serveClient(true)).type.toBe<Server<Events>>();
    expect(io.adapter(Adapter)).type.toBe<Server<Events>>();
  });
});

describe("calls that can be chained", () => {
  test("give what they were called on", () => {
    const io = new Server<Events>();
    expect(io.attach(3000).listen(createServer(), { path: "/x" })).type.toBe<Server<Events>>();
    expect(io.use((_socket, next) => next())).type.toBe<Server<Events>>();
    expect(io.of("/a").use((_socket, next) => next())).type.toBe<Namespace<Events>>();
    const socket = {} as Socket<Events>;
    expect(socket.compress(true).volatile.disconnect()).type.toBe<Socket<Events>>();
    expect(
      socket
        .onAny(() => {})
        .prependAny(() => {})
        .offAny(),
    ).type.toBe<Socket<Events>>();
    expect(socket.on("hello", () => {})).type.toBe<Socket<Events>>();
  });
});

describe("namespaces", () => {
  test("are found by name, pattern and function", () => {
    const io = new Server<Events>();
    expect(io.of("/a")).type.toBe<Namespace<Events>>();
    expect(io.of(/^\/a-\d+$/)).type.toBe<Namespace<Events>>();
    io.of((name, auth, decide) => {
      expect(name).type.toBe<string>();
      expect(auth).type.toBe<{ [key: string]: any }>();
      decide(null, name.startsWith("/a"));
    });
  });
});

describe("middlewares of a socket", () => {
  test("get the event and a way on", () => {
    const socket = {} as Socket<Events>;
    socket.use(([name, ...args], next) => {
      expect(name).type.toBe<string>();
      expect(args).type.toBe<any[]>();
      next(new Error("no"));
    });
    expect<ExtendedError>().type.toBeAssignableTo<Error>();
    expect<ExtendedError["data"]>().type.toBe<any>();
  });
});

describe("typed values where untyped ones are asked for", () => {
  const takesServer = (_server: Server): void => {};
  const takesNamespace = (_namespace: Namespace): void => {};
  const takesSocket = (_socket: Socket): void => {};
  const takesEmitter = (_emitter: EventEmitter): void => {};

  test("fit when their events are untyped", () => {
    const socket = {} as Socket;
    expect(takesNamespace).type.toBeCallableWith(socket.nsp);
    expect(takesServer).type.toBeCallableWith(new Server());
    expect(takesEmitter).type.toBeCallableWith(socket);
  });

  test("fit when their events are typed", () => {
    const socket = {} as Socket<Events, Events, Events, { user: string }>;
    expect(takesNamespace).type.toBeCallableWith(socket.nsp);
    expect(takesSocket).type.toBeCallableWith(socket);
    expect(takesServer).type.toBeCallableWith(new Server<Events>());
    expect(takesEmitter).type.toBeCallableWith(socket.nsp);
  });

  test("reach handlers that are written for untyped ones", () => {
    expect(new Server<Events>().on).type.toBeCallableWith("connection", takesSocket);
    expect(new Server().on).type.toBeCallableWith("connection", takesSocket);
  });

  test("fit functions that are generic in the events", () => {
    function names<L extends { [event: string]: any }, E extends { [event: string]: any }>(io: Server<L, E>): string {
      return io.of("/a").name + io.sockets.adapter.rooms.size;
    }
    expect(names).type.toBeCallableWith(new Server<Events>());
    expect(names).type.toBeCallableWith(new Server());
  });
});

describe("classes that extend ours", () => {
  test("may add members to a socket and override its methods", () => {
    class Player extends Socket {
      score = 0;
      override emit(event: string, ...args: any[]): boolean {
        return super.emit(event, ...args);
      }
    }
    expect<Player>().type.toBeAssignableTo<Socket>();
    expect<Player["nsp"]>().type.toBe<Namespace>();
  });

  test("may be typed or generic sockets", () => {
    class Typed extends Socket<Events> {}
    class Generic<E extends { [event: string]: any }> extends Socket<E> {}
    expect<Typed>().type.toBeAssignableTo<Socket<Events>>();
    expect<Generic<Events>>().type.toBeAssignableTo<Socket<Events>>();
  });

  test("may be servers and namespaces", () => {
    class Game extends Server<Events> {
      constructor() {
        super(3000, { path: "/game" });
      }
    }
    class Lobby extends Namespace<Events> {
      constructor(io: Server<Events>) {
        super(io, "/lobby");
      }
    }
    expect<Game>().type.toBeAssignableTo<Server<Events>>();
    expect<Lobby>().type.toBeAssignableTo<Namespace<Events>>();
  });
});

test("engine.use takes middlewares written for Express, whose requests and responses know more", () => {
  interface ExpressRequest extends IncomingMessage {
    get(name: string): string | undefined;
    session: { user: string };
  }
  interface ExpressResponse extends ServerResponse {
    json(body: unknown): this;
  }
  const handler = (_req: ExpressRequest, _res: ExpressResponse, next: (error?: unknown) => void): void => next();
  expect(new Server().engine.use).type.toBeCallableWith(handler);
});
