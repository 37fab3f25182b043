import {
  type DefaultEventsMap,
  type DisconnectReason,
  Namespace,
  type RemoteSocket,
  Server,
  Socket,
} from "@plugboard/server";
import { describe, expect, test } from "tstyche";

interface ListenEvents {
  ping: () => void;
  rename: (id: number, name: string) => void;
  question: (text: string, answer: (yes: boolean, why: string) => void) => void;
}

interface EmitEvents {
  message: (text: string) => void;
  tick: () => void;
  move: (x: number, y: number) => void;
  done: (ack: () => void) => void;
  ask: (text: string, ack: (yes: boolean, why: string) => void) => void;
  late: (ack: (err: Error, count: number) => void) => void;
}

interface ServerSideEvents {
  reload: () => void;
  load: (node: string, ack: (percent: number) => void) => void;
  sync: (ack: () => void) => void;
}

interface SocketData {
  user: string;
}

declare const untyped: Server;
declare const io: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
declare const socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;

describe("type parameters", () => {
  test("default to untyped events and data", () => {
    expect<Server>().type.toBe<Server<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, any>>();
    expect<Namespace>().type.toBe<Namespace<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, any>>();
    expect<Socket>().type.toBe<Socket<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, any>>();
  });

  test("let the server send what it listens to unless told otherwise", () => {
    expect<Server<ListenEvents>>().type.toBe<Server<ListenEvents, ListenEvents, DefaultEventsMap, any>>();
    expect<Namespace<ListenEvents>>().type.toBe<Namespace<ListenEvents, ListenEvents, DefaultEventsMap, any>>();
    expect<Socket<ListenEvents>>().type.toBe<Socket<ListenEvents, ListenEvents, DefaultEventsMap, any>>();
  });

  test("reach the namespaces of a server and the sockets of a namespace", () => {
    expect(io.of("/chat")).type.toBe<Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>();
    expect(io.sockets).type.toBe<Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>();
    io.of("/chat", (joined) => {
      expect(joined).type.toBe<Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>();
    });
    io.use((joining, next) => {
      expect(joining).type.toBe<Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>();
      expect(next).type.toBeCallableWith(Object.assign(new Error("no"), { data: { code: 1 } }));
      expect(next).type.toBeCallableWith();
    });
  });
});

describe("reserved events", () => {
  test("give the socket to the listener of connection", () => {
    io.on("connection", (joined) => {
      expect(joined).type.toBe<Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>();
    });
    io.once("connect", (joined) => {
      expect(joined).type.toBe<Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>();
    });
    io.of("/chat").on("connection", (joined) => {
      expect(joined).type.toBe<Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>();
    });
    untyped.on("connection", (joined) => {
      expect(joined).type.toBe<Socket>();
    });
  });

  test("give the namespace to the listener of new_namespace", () => {
    io.on("new_namespace", (namespace) => {
      expect(namespace).type.toBe<Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>();
    });
  });

  test("give a reason out of the list to the listeners of disconnect and disconnecting", () => {
    socket.on("disconnect", (reason) => {
      expect(reason).type.toBe<DisconnectReason>();
    });
    socket.on("disconnecting", (reason) => {
      expect(reason).type.toBe<DisconnectReason>();
    });
    expect<DisconnectReason>().type.toBeAssignableFrom<
      "transport error" | "transport close" | "forced close" | "ping timeout" | "parse error" | "server shutting down"
    >();
    expect<DisconnectReason>().type.toBeAssignableFrom<
      "forced server close" | "client namespace disconnect" | "server namespace disconnect"
    >();
    expect<DisconnectReason>().type.not.toBeAssignableFrom<"bored">();
  });

  test("give the error to the listener of error", () => {
    socket.on("error", (error) => {
      expect(error).type.toBe<Error>();
    });
  });
});

describe("listening without an event map", () => {
  test("gives any parameters to any event", () => {
    untyped.on("connection", (joined) => {
      joined.on("whatever", (a, b) => {
        expect(a).type.toBe<any>();
        expect(b).type.toBe<any>();
      });
    });
  });

  test("takes the members of a string enum as names", () => {
    enum Names {
      Rename = "rename",
    }
    const plain = {} as Socket;
    plain.on(Names.Rename, (a) => {
      expect(a).type.toBe<any>();
    });
    expect(plain.emit).type.toBeCallableWith(Names.Rename, 1);
  });

  test("accepts async listeners", () => {
    untyped.on("connection", async (joined) => {
      joined.on("disconnect", async () => {});
      joined.on("whatever", async (a) => {
        await a;
      });
    });
  });
});

describe("listening with an event map", () => {
  test("takes the members of a string enum as names", () => {
    enum Names {
      Rename = "rename",
    }
    const typed = {} as Socket<{ [Names.Rename]: (id: number) => void }>;
    typed.on(Names.Rename, (id) => {
      expect(id).type.toBe<number>();
    });
    expect(typed.emit).type.toBeCallableWith(Names.Rename, 1);
  });

  test("gives its parameters to each listener", () => {
    socket.on("ping", (...args) => {
      expect(args).type.toBe<[]>();
    });
    socket.on("rename", (id, name) => {
      expect(id).type.toBe<number>();
      expect(name).type.toBe<string>();
    });
    socket.once("question", (text, answer) => {
      expect(text).type.toBe<string>();
      expect(answer).type.toBe<(yes: boolean, why: string) => void>();
    });
  });

  test("accepts async listeners", () => {
    expect(socket.on).type.toBeCallableWith("rename", async (_id: number) => {});
    expect(io.on).type.toBeCallableWith("connection", async () => {});
  });

  test("refuses a name that is not in the map", () => {
    expect(socket.on).type.not.toBeCallableWith("renam", () => {});
    expect(socket.on).type.not.toBeCallableWith("constructor", () => {});
  });

  test("refuses a call without a listener", () => {
    expect(socket.on).type.not.toBeCallableWith("rename");
    expect({} as Socket["on"]).type.not.toBeCallableWith("rename");
  });

  test("refuses a listener with too many parameters", () => {
    expect(socket.on).type.not.toBeCallableWith("rename", (_a: number, _b: string, _c: string) => {});
    expect(socket.on).type.not.toBeCallableWith("ping", (_a: number) => {});
  });

  test("refuses a listener with other parameters", () => {
    expect(socket.on).type.not.toBeCallableWith("rename", (_a: string) => {});
  });

  test("refuses names that are not strings", () => {
    expect(socket.on).type.not.toBeCallableWith(1, () => {});
    expect({} as Socket["on"]).type.not.toBeCallableWith(1, () => {});
  });

  test("refuses on a socket the events that are only sent", () => {
    expect(socket.on).type.not.toBeCallableWith("move", () => {});
  });

  test("accepts on a server only the reserved events and those of other servers", () => {
    expect(io.on).type.not.toBeCallableWith("rename", () => {});
    expect(io.on).type.not.toBeCallableWith("move", () => {});
    expect(io.of("/chat").on).type.not.toBeCallableWith("rename", () => {});
    expect(io.on).type.toBeCallableWith("reload", () => {});
  });

  test("gives the bare acknowledgement to the listener of an event of another server", () => {
    io.on("load", (node, ack) => {
      expect(node).type.toBe<string>();
      expect(ack).type.toBe<(percent: number) => void>();
    });
    io.of("/chat").on("load", (_node, ack) => {
      expect(ack).type.toBe<(percent: number) => void>();
    });
  });
});

describe("emitting without an event map", () => {
  test("accepts everything", () => {
    const plain = {} as Socket;
    expect(plain.emit).type.toBeCallableWith("whatever");
    expect(plain.emit).type.toBeCallableWith("whatever", 1, "2", { three: 3 }, () => {});
    expect(plain.send).type.toBeCallableWith();
    expect(plain.send).type.toBeCallableWith(1, "2");
    expect(untyped.emit).type.toBeCallableWith("whatever", 1, () => {});
    expect(untyped.to("room").emit).type.toBeCallableWith("whatever", 1, () => {});
    expect(untyped.send).type.toBeCallableWith(1, "2");
    expect(untyped.write).type.toBeCallableWith(1, "2");
    expect(untyped.serverSideEmit).type.toBeCallableWith("whatever", 1, () => {});
  });

  test("awaits any acknowledgement as any", () => {
    const plain = {} as Socket;
    expect(plain.emitWithAck("whatever", 1)).type.toBe<Promise<any>>();
    expect(plain.timeout(10).emitWithAck("whatever", 1)).type.toBe<Promise<any>>();
    expect(untyped.timeout(10).emitWithAck("whatever", 1)).type.toBe<Promise<any>>();
    expect(untyped.to("room").timeout(10).emitWithAck("whatever")).type.toBe<Promise<any>>();
    expect(untyped.serverSideEmitWithAck("whatever", 1)).type.toBe<Promise<any[]>>();
  });
});

describe("emitting with an event map", () => {
  test("accepts on a socket every event that is sent", () => {
    expect(socket.emit).type.toBeCallableWith("tick");
    expect(socket.emit).type.toBeCallableWith("move", 1, 2);
    expect(socket.emit).type.toBeCallableWith("done", () => {});
    socket.emit("ask", "ready?", (yes, why) => {
      expect(yes).type.toBe<boolean>();
      expect(why).type.toBe<string>();
    });
    expect(socket.emit("tick")).type.toBe<boolean>();
  });

  test("refuses unknown names and wrong arguments", () => {
    expect(socket.emit).type.not.toBeCallableWith("tock");
    expect(socket.emit).type.not.toBeCallableWith("rename", 1, "x");
    expect(socket.emit).type.not.toBeCallableWith("move", 1);
    expect(socket.emit).type.not.toBeCallableWith("move", 1, "2");
    expect(socket.emit).type.not.toBeCallableWith("move", 1, 2, 3);
    expect(socket.emit).type.not.toBeCallableWith("ask", "ready?");
  });

  test("refuses to all sockets of a namespace at once the events that need an acknowledgement of each", () => {
    expect(io.emit).type.toBeCallableWith("tick");
    expect(io.emit).type.toBeCallableWith("move", 1, 2);
    expect(io.emit).type.not.toBeCallableWith("done", () => {});
    expect(io.emit).type.not.toBeCallableWith("ask", "ready?", () => {});
    expect(io.of("/chat").emit).type.toBeCallableWith("move", 1, 2);
    expect(io.of("/chat").emit).type.not.toBeCallableWith("ask", "ready?", () => {});
  });

  test("lets send take the arguments of the message event", () => {
    for (const sender of [socket, io, io.of("/chat")] as const) {
      expect(sender.send).type.toBeCallableWith("hello");
      expect(sender.send).type.not.toBeCallableWith();
      expect(sender.send).type.not.toBeCallableWith(1);
      expect(sender.write).type.toBeCallableWith("hello");
      expect(sender.write).type.not.toBeCallableWith(1);
    }
  });

  test("refuses send when the map has no message event", () => {
    const mute = {} as Server<ListenEvents, { tick: () => void }>;
    expect(mute.send).type.not.toBeCallableWith();
    expect(mute.send).type.not.toBeCallableWith("hello");
    mute.on("connection", (joined) => {
      expect(joined.send).type.not.toBeCallableWith();
      expect(joined.send).type.not.toBeCallableWith("hello");
    });
  });
});

describe("broadcasting with an event map", () => {
  test("gives a list of first answers to the acknowledgement", () => {
    const operators = [io.to("a"), io.in("a"), io.except("a"), io.compress(true), io.volatile, io.local] as const;
    for (const operator of operators) {
      operator.emit("ask", "ready?", (...args) => {
        expect(args).type.toBe<[yes: boolean[]]>();
      });
      expect(operator.emit).type.toBeCallableWith("move", 1, 2);
      expect(operator.emit).type.not.toBeCallableWith("move", 1, "2");
    }
    const namespace = io.of("/chat");
    for (const operator of [namespace.to("a"), namespace.in("a"), namespace.except("a"), namespace.volatile] as const) {
      operator.emit("ask", "ready?", (...args) => {
        expect(args).type.toBe<[yes: boolean[]]>();
      });
    }
    for (const operator of [namespace.compress(true), namespace.local] as const) {
      operator.emit("ask", "ready?", (...args) => {
        expect(args).type.toBe<[yes: boolean[]]>();
      });
    }
    for (const operator of [
      socket.broadcast,
      socket.in("a"),
      socket.except("a"),
      socket.to("a"),
      socket.local,
    ] as const) {
      operator.emit("ask", "ready?", (...args) => {
        expect(args).type.toBe<[yes: boolean[]]>();
      });
    }
  });

  test("leaves an acknowledgement without arguments as it is", () => {
    io.to("a").emit("done", (...args) => {
      expect(args).type.toBe<[]>();
    });
    socket.broadcast.emit("done", (...args) => {
      expect(args).type.toBe<[]>();
    });
  });

  test("keeps the error of an acknowledgement that has one", () => {
    io.to("a").emit("late", (...args) => {
      expect(args).type.toBe<[err: Error, count: number[]]>();
    });
  });

  test("adds an error to the acknowledgement after timeout", () => {
    const operators = [io.timeout(10), io.to("a").timeout(10), io.of("/chat").timeout(10)] as const;
    for (const operator of operators) {
      operator.emit("ask", "ready?", (err, answers) => {
        expect(err).type.toBe<Error>();
        expect(answers).type.toBe<boolean[]>();
      });
      operator.emit("done", (...args) => {
        expect(args).type.toBe<[err: Error]>();
      });
    }
    for (const operator of [
      socket.broadcast.timeout(10),
      socket.to("a").timeout(10),
      socket.timeout(10).broadcast,
    ] as const) {
      operator.emit("ask", "ready?", (err, answers) => {
        expect(err).type.toBe<Error>();
        expect(answers).type.toBe<boolean[]>();
      });
    }
  });

  test("adds one error however often timeout is called", () => {
    io.timeout(10)
      .timeout(20)
      .emit("ask", "ready?", (...args) => {
        expect(args).type.toBe<[err: Error, yes: boolean[]]>();
      });
    io.timeout(10).emit("late", (...args) => {
      expect(args).type.toBe<[err: Error, count: number[]]>();
    });
  });

  test("keeps the map from one operator to the next", () => {
    io.to("a")
      .except("b")
      .volatile.local.compress(false)
      .in(["c", "d"])
      .emit("ask", "ready?", (answers) => {
        expect(answers).type.toBe<boolean[]>();
      });
  });

  test("awaits acknowledgements after timeout only", async () => {
    expect(io.to("a").emitWithAck).type.not.toBeCallableWith("ask", "ready?");
    expect(socket.broadcast.emitWithAck).type.not.toBeCallableWith("ask", "ready?");
    expect(io.timeout(10).emitWithAck("ask", "ready?")).type.toBe<Promise<boolean[]>>();
    expect(io.to("a").timeout(10).emitWithAck("ask", "ready?")).type.toBe<Promise<boolean[]>>();
    expect(socket.broadcast.timeout(10).emitWithAck("ask", "ready?")).type.toBe<Promise<boolean[]>>();
    expect(socket.timeout(10).broadcast.emitWithAck("ask", "ready?")).type.toBe<Promise<boolean[]>>();
  });

  test("awaits an acknowledgement without arguments as undefined", () => {
    expect(io.timeout(10).emitWithAck("done")).type.toBe<Promise<undefined>>();
  });

  test("refuses to await what has no acknowledgement or gets wrong arguments", () => {
    expect(io.timeout(10).emitWithAck).type.not.toBeCallableWith("tick");
    expect(io.timeout(10).emitWithAck).type.not.toBeCallableWith("move", 1, 2);
    expect(io.timeout(10).emitWithAck).type.not.toBeCallableWith("ask");
    expect(io.timeout(10).emitWithAck).type.not.toBeCallableWith("ask", 1);
  });
});

describe("timeout of a socket", () => {
  test("adds an error to its acknowledgements", () => {
    socket.timeout(10).emit("ask", "ready?", (...args) => {
      expect(args).type.toBe<[err: Error, yes: boolean, why: string]>();
    });
    socket.timeout(10).emit("done", (...args) => {
      expect(args).type.toBe<[err: Error]>();
    });
    expect(socket.timeout(10).emit).type.toBeCallableWith("move", 1, 2);
    expect(socket.timeout(10).emit).type.not.toBeCallableWith("move", 1);
  });

  test("leaves the error of an acknowledgement that has one", () => {
    socket
      .timeout(10)
      .timeout(20)
      .emit("late", (...args) => {
        expect(args).type.toBe<[err: Error, count: number]>();
      });
  });

  test("keeps what the socket listens to and its data", () => {
    socket.timeout(10).on("rename", (id) => {
      expect(id).type.toBe<number>();
    });
    expect(socket.timeout(10).data).type.toBe<SocketData>();
  });
});

describe("emitWithAck of a socket", () => {
  test("awaits the first argument of the acknowledgement", () => {
    expect(socket.emitWithAck("ask", "ready?")).type.toBe<Promise<boolean>>();
    expect(socket.emitWithAck("late")).type.toBe<Promise<number>>();
  });

  test("awaits the same after timeout", () => {
    expect(socket.timeout(10).emitWithAck("ask", "ready?")).type.toBe<Promise<boolean>>();
  });

  test("awaits an acknowledgement without arguments as undefined", () => {
    expect(socket.emitWithAck("done")).type.toBe<Promise<undefined>>();
    expect(socket.timeout(10).emitWithAck("done")).type.toBe<Promise<undefined>>();
  });

  test("refuses events without acknowledgement and wrong arguments", () => {
    expect(socket.emitWithAck).type.not.toBeCallableWith("tick");
    expect(socket.emitWithAck).type.not.toBeCallableWith("move", 1, 2);
    expect(socket.emitWithAck).type.not.toBeCallableWith("ask");
    expect(socket.emitWithAck).type.not.toBeCallableWith("ask", 1);
    expect(socket.emitWithAck).type.not.toBeCallableWith("ask", "ready?", () => {});
    expect(socket.timeout(10).emitWithAck).type.not.toBeCallableWith("tick");
  });
});

describe("an acknowledgement that may be left out", () => {
  interface Optional {
    save: (text: string, ack?: (id: number) => void) => void;
  }
  const server = {} as Server<Optional>;
  const client = {} as Socket<Optional>;

  test("may be left out, given and awaited", () => {
    expect(client.emit).type.toBeCallableWith("save", "x");
    expect(client.emit).type.toBeCallableWith("save", "x", (_id: number) => {});
    expect(client.emitWithAck("save", "x")).type.toBe<Promise<number>>();
    expect(client.emitWithAck).type.not.toBeCallableWith("save", 1);
  });

  test("is left out by what is sent to all sockets of a namespace at once", () => {
    expect(server.emit).type.toBeCallableWith("save", "x");
  });

  test("is decorated as any other", () => {
    server.to("a").emit("save", "x", (...args) => {
      expect(args).type.toBe<[id: number[]]>();
    });
    server.timeout(10).emit("save", "x", (...args) => {
      expect(args).type.toBe<[err: Error, id: number[]]>();
    });
    expect(server.timeout(10).emitWithAck("save", "x")).type.toBe<Promise<number[]>>();
    expect(client.timeout(10).emitWithAck("save", "x")).type.toBe<Promise<number>>();
  });
});

describe("an acknowledgement whose first parameter is any", () => {
  interface Loose {
    load: (ack: (anything: any, size: number) => void) => void;
  }
  const server = {} as Server<Loose>;

  test("gets an error in front of it, not instead of it", () => {
    server.to("a").emit("load", (...args) => {
      expect(args).type.toBe<[anything: any[]]>();
    });
    server.timeout(10).emit("load", (...args) => {
      expect(args).type.toBe<[err: Error, anything: any[]]>();
    });
    expect(server.timeout(10).emitWithAck("load")).type.toBe<Promise<any[]>>();
  });
});

describe("listeners with a rest parameter", () => {
  interface Rest {
    tags: (...tags: string[]) => void;
    raw: (...args: any[]) => void;
  }
  const server = {} as Server<Rest>;
  const client = {} as Socket<Rest>;

  test("take any number of arguments of its type", () => {
    expect(server.emit).type.toBeCallableWith("tags", "a", "b");
    expect(server.emit).type.not.toBeCallableWith("tags", "a", 1);
    expect(client.emitWithAck).type.not.toBeCallableWith("tags", "a");
  });

  test("take everything when it is any", () => {
    expect(server.emit).type.toBeCallableWith("raw", 1, "b", () => {});
    expect(client.emitWithAck("raw", 1)).type.toBe<Promise<any>>();
  });
});

describe("emitting to other servers", () => {
  test("gives an error and a list to the acknowledgement", () => {
    io.serverSideEmit("load", "a", (err, percents) => {
      expect(err).type.toBe<Error>();
      expect(percents).type.toBe<number[]>();
    });
    io.of("/chat").serverSideEmit("load", "a", (err, percents) => {
      expect(err).type.toBe<Error>();
      expect(percents).type.toBe<number[]>();
    });
    expect(io.serverSideEmit("reload")).type.toBe<boolean>();
  });

  test("refuses unknown names and wrong arguments", () => {
    expect(io.serverSideEmit).type.not.toBeCallableWith("reloa");
    expect(io.serverSideEmit).type.not.toBeCallableWith("tick");
    expect(io.serverSideEmit).type.not.toBeCallableWith("load", 1, () => {});
    expect(io.serverSideEmit).type.not.toBeCallableWith("reload", 1);
  });

  test("awaits one answer per server, of events with acknowledgement only", () => {
    expect(io.serverSideEmitWithAck("load", "a")).type.toBe<Promise<number[]>>();
    expect(io.of("/chat").serverSideEmitWithAck("load", "a")).type.toBe<Promise<number[]>>();
    expect(io.serverSideEmitWithAck("sync")).type.toBe<Promise<undefined[]>>();
    expect(io.serverSideEmitWithAck).type.not.toBeCallableWith("reload");
    expect(io.serverSideEmitWithAck).type.not.toBeCallableWith("load");
  });
});

describe("data of a socket", () => {
  test("has the type the server was given", async () => {
    expect(socket.data).type.toBe<SocketData>();
    const [remote] = await io.fetchSockets();
    expect(remote!).type.toBe<RemoteSocket<EmitEvents, SocketData>>();
    expect(remote!.data).type.toBe<SocketData>();
    const [elsewhere] = await io.in("a").fetchSockets();
    expect(elsewhere!.data).type.toBe<SocketData>();
  });

  test("is any without one", () => {
    expect(({} as Socket).data).type.toBe<any>();
    expect({} as RemoteSocket<DefaultEventsMap, any>["data"]).type.toBe<any>();
  });
});
