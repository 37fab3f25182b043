import {
  type DefaultEventsMap,
  type DisconnectDescription,
  type ExtendedError,
  io,
  Manager,
  type ManagerReservedEvents,
  Socket,
} from "@plugboard/client";
import { describe, expect, test } from "tstyche";

interface ServerToClientEvents {
  tick: () => void;
  rename: (id: number, name: string) => void;
  question: (text: string, answer: (yes: boolean, why: string) => void) => void;
}

interface ClientToServerEvents {
  message: (text: string) => void;
  move: (x: number, y: number) => void;
  done: (ack: () => void) => void;
  ask: (text: string, ack: (yes: boolean, why: string) => void) => void;
  twice: (first: (a: number) => void, text: string, second: (b: string) => void) => void;
}

declare const untyped: Socket;
declare const socket: Socket<ServerToClientEvents, ClientToServerEvents>;
declare const manager: Manager<ServerToClientEvents, ClientToServerEvents>;

describe("type parameters", () => {
  test("default to untyped events", () => {
    expect<Socket>().type.toBe<Socket<DefaultEventsMap, DefaultEventsMap>>();
    expect<Manager>().type.toBe<Manager<DefaultEventsMap, DefaultEventsMap>>();
  });

  test("let the client send what it listens to unless told otherwise", () => {
    expect<Socket<ServerToClientEvents>>().type.toBe<Socket<ServerToClientEvents, ServerToClientEvents>>();
    expect<Manager<ServerToClientEvents>>().type.toBe<Manager<ServerToClientEvents, ServerToClientEvents>>();
  });

  test("have the order listened to, sent, which is not that of the server", () => {
    expect(socket.on).type.toBeCallableWith("rename", (_id: number, _name: string) => {});
    expect(socket.emit).type.toBeCallableWith("move", 1, 2);
    expect(socket.on).type.not.toBeCallableWith("move", () => {});
    expect(socket.emit).type.not.toBeCallableWith("rename", 1, "x");
  });

  test("reach the manager of a socket", () => {
    expect(socket.io).type.toBe<Manager<ServerToClientEvents, ClientToServerEvents>>();
  });

  test("take event maps that are interfaces, aliases and maps of any", () => {
    type Alias = { hello: (name: string) => void };
    expect({} as Socket<Alias>["emit"]).type.toBeCallableWith("hello", "x");
    expect({} as Socket<{ anything: any }>["emit"]).type.toBeCallableWith("anything", 1, "b", () => {});
    expect({} as Socket<any>["emit"]).type.toBeCallableWith("whatever", 1, () => {});
  });
});

describe("reserved events of a socket", () => {
  test("give nothing to the listener of connect", () => {
    socket.on("connect", (...args) => {
      expect(args).type.toBe<[]>();
    });
    expect(socket.on).type.not.toBeCallableWith("connect", (_value: number) => {});
    expect(untyped.on).type.not.toBeCallableWith("connect", (_value: number) => {});
  });

  test("give an error, perhaps with data, to the listener of connect_error", () => {
    socket.on("connect_error", (error) => {
      expect(error).type.toBe<ExtendedError>();
      expect(error.message).type.toBe<string>();
      expect(error.data).type.toBe<any>();
    });
    expect(socket.on).type.toBeCallableWith("connect_error", (_error: Error) => {});
    expect(untyped.once).type.toBeCallableWith("connect_error", (_error: Error) => {});
  });

  test("give a reason out of the list and what is known of it to the listener of disconnect", () => {
    socket.on("disconnect", (reason, description) => {
      expect(reason).type.toBe<Socket.DisconnectReason>();
      expect(description).type.toBe<DisconnectDescription | undefined>();
    });
    expect<Socket.DisconnectReason>().type.toBe<
      | "io server disconnect"
      | "io client disconnect"
      | "ping timeout"
      | "transport close"
      | "transport error"
      | "parse error"
    >();
    expect<DisconnectDescription>().type.toBe<Error | { description: string; context?: unknown }>();
  });

  test("come before events of the same name in the map", () => {
    const shadowed = {} as Socket<{ connect: (value: number) => void }>;
    expect(shadowed.on).type.toBeCallableWith("connect", () => {});
    expect(shadowed.on).type.not.toBeCallableWith("connect", (_value: number) => {});
  });
});

describe("events of a manager", () => {
  test("give their parameters to each listener", () => {
    manager.on("reconnect_attempt", (attempt) => {
      expect(attempt).type.toBe<number>();
    });
    manager.once("reconnect", (attempt) => {
      expect(attempt).type.toBe<number>();
    });
    manager.on("reconnect_error", (error) => {
      expect(error).type.toBe<Error>();
    });
    manager.on("error", (error) => {
      expect(error).type.toBe<Error>();
    });
    manager.on("close", (reason, description) => {
      expect(reason).type.toBe<string>();
      expect(description).type.toBe<DisconnectDescription | undefined>();
    });
    manager.on("packet", ({ type, nsp, data }) => {
      expect(type).type.toBeAssignableTo<number>();
      expect(nsp).type.toBe<string>();
      expect(data).type.toBe<any>();
    });
    expect<ManagerReservedEvents["open" | "ping" | "reconnect_failed"]>().type.toBe<() => void>();
    expect(manager.on).type.toBeCallableWith("open", () => {});
    expect(manager.on).type.not.toBeCallableWith("open", (_value: number) => {});
  });

  test("are those alone: a manager neither hears nor sends events of the user", () => {
    expect(manager.on).type.not.toBeCallableWith("rename", () => {});
    expect(manager.on).type.not.toBeCallableWith("connect", () => {});
    expect(manager.emit).type.not.toBeCallableWith("move", 1, 2);
  });
});

describe("events of an engine", () => {
  test("give their parameters to each listener", () => {
    const { engine } = manager;
    engine.on("upgrade", (transport) => {
      expect(transport.name).type.toBe<string>();
    });
    engine.on("upgradeError", (error) => {
      expect(error).type.toBe<Error>();
    });
    engine.on("handshake", ({ sid, upgrades, pingInterval }) => {
      expect(sid).type.toBe<string>();
      expect(upgrades).type.toBe<string[]>();
      expect(pingInterval).type.toBe<number>();
    });
    engine.on("packet", ({ type, data }) => {
      expect(type).type.toBeAssignableTo<string>();
      expect(data).type.toBe<any>();
    });
    engine.on("packetCreate", ({ options }) => {
      expect(options?.compress).type.toBe<boolean | undefined>();
    });
    engine.on("close", (reason, description) => {
      expect(reason).type.toBe<string>();
      expect(description).type.toBe<DisconnectDescription | undefined>();
    });
    engine.on("error", (error) => {
      expect(error).type.toBe<string | Error>();
    });
    engine.on("data", (data) => {
      expect(data).type.toBe<any>();
    });
    engine.on("message", (data) => {
      expect(data).type.toBe<any>();
    });
    for (const event of ["open", "drain", "flush", "heartbeat", "ping", "pong"] as const) {
      engine.on(event, (...args) => {
        expect(args).type.toBe<[]>();
      });
    }
    expect(engine.on).type.not.toBeCallableWith("reconnect", () => {});
  });
});

describe("listening without an event map", () => {
  test("gives any parameters to any event", () => {
    untyped.on("whatever", (a, b) => {
      expect(a).type.toBe<any>();
      expect(b).type.toBe<any>();
    });
    untyped.once("whatever", (...args) => {
      expect(args).type.toBe<any[]>();
    });
  });

  test("takes the members of a string enum as names", () => {
    enum Names {
      Rename = "rename",
    }
    untyped.on(Names.Rename, (a) => {
      expect(a).type.toBe<any>();
    });
    expect(untyped.emit).type.toBeCallableWith(Names.Rename, 1);
  });

  test("accepts async listeners", () => {
    untyped.on("connect", async () => {});
    untyped.on("whatever", async (a) => {
      await a;
    });
  });

  test("refuses names that are not strings and calls without a listener", () => {
    expect(untyped.on).type.not.toBeCallableWith(1, () => {});
    expect(untyped.on).type.not.toBeCallableWith("whatever");
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
    expect(typed.emit).type.not.toBeCallableWith(Names.Rename, "1");
  });

  test("gives its parameters to each listener", () => {
    socket.on("tick", (...args) => {
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
    socket.addEventListener("rename", (id) => {
      expect(id).type.toBe<number>();
    });
  });

  test("accepts async listeners", () => {
    expect(socket.on).type.toBeCallableWith("rename", async (_id: number) => {});
  });

  test("refuses a name that is not in the map, be it one that is only sent", () => {
    expect(socket.on).type.not.toBeCallableWith("renam", () => {});
    expect(socket.on).type.not.toBeCallableWith("constructor", () => {});
    expect(socket.on).type.not.toBeCallableWith("move", () => {});
    expect(socket.once).type.not.toBeCallableWith("move", () => {});
  });

  test("refuses a call without a listener, with too many parameters or with other ones", () => {
    expect(socket.on).type.not.toBeCallableWith("rename");
    expect(socket.on).type.not.toBeCallableWith("rename", (_a: number, _b: string, _c: string) => {});
    expect(socket.on).type.not.toBeCallableWith("tick", (_a: number) => {});
    expect(socket.on).type.not.toBeCallableWith("rename", (_a: string) => {});
  });

  test("refuses answers of another type", () => {
    socket.on("question", (_text, answer) => {
      expect(answer).type.toBeCallableWith(true, "because");
      expect(answer).type.not.toBeCallableWith("yes", "because");
      expect(answer).type.not.toBeCallableWith(true);
    });
  });

  test("falls back to any listener in code that is generic in the events", () => {
    function listen<Events extends { [event: string]: any }>(generic: Socket<Events>): void {
      generic.on("connect", () => {});
      generic.on("disconnect", (reason) => {
        expect(reason).type.toBe<Socket.DisconnectReason>();
      });
      generic.off();
      generic.disconnect();
    }
    expect(listen).type.toBeCallableWith(socket as Socket<any>);
  });
});

describe("removing listeners", () => {
  test("takes nothing, an event, or an event with a listener", () => {
    const listener = (_id: number, _name: string): void => {};
    expect(socket.off).type.toBeCallableWith();
    expect(socket.off).type.toBeCallableWith("rename");
    expect(socket.off).type.toBeCallableWith("rename", listener);
    expect(socket.off).type.toBeCallableWith("connect");
    expect(socket.off).type.not.toBeCallableWith("renam");
    expect(socket.off).type.not.toBeCallableWith("rename", (_id: string) => {});
    expect(untyped.off).type.toBeCallableWith("whatever", listener);
  });

  test("has several names", () => {
    expect(socket.removeListener).type.toBe<typeof socket.off>();
    expect(socket.removeEventListener).type.toBe<typeof socket.off>();
    expect(socket.removeAllListeners).type.toBe<typeof socket.off>();
  });

  test("goes by lists that know the listeners", () => {
    expect(socket.listeners("rename")).type.toBe<((id: number, name: string) => void)[]>();
    expect(socket.listeners("connect")).type.toBe<(() => void)[]>();
    expect(socket.hasListeners("rename")).type.toBe<boolean>();
    expect(socket.listeners).type.not.toBeCallableWith("move");
    expect(socket.hasListeners).type.not.toBeCallableWith("move");
  });
});

describe("emitting without an event map", () => {
  test("takes any name and any arguments", () => {
    expect(untyped.emit).type.toBeCallableWith("whatever");
    expect(untyped.emit).type.toBeCallableWith("whatever", 1, "b", { c: [] }, new Uint8Array(1), () => {});
    expect(untyped.volatile.compress(false).timeout(10).emit).type.toBeCallableWith("whatever", 1, () => {});
    expect(untyped.emit).type.not.toBeCallableWith(1);
  });
});

describe("emitting with an event map", () => {
  test("takes the arguments of the map", () => {
    expect(socket.emit).type.toBeCallableWith("message", "x");
    expect(socket.emit).type.toBeCallableWith("done", () => {});
    socket.emit("ask", "ready?", (yes, why) => {
      expect(yes).type.toBe<boolean>();
      expect(why).type.toBe<string>();
    });
  });

  test("refuses unknown names, events that are only heard, and reserved ones", () => {
    expect(socket.emit).type.not.toBeCallableWith("mov", 1, 2);
    expect(socket.emit).type.not.toBeCallableWith("tick");
    expect(socket.emit).type.not.toBeCallableWith("connect");
  });

  test("refuses too few, too many and other arguments", () => {
    expect(socket.emit).type.not.toBeCallableWith("move", 1);
    expect(socket.emit).type.not.toBeCallableWith("move", 1, 2, 3);
    expect(socket.emit).type.not.toBeCallableWith("move", 1, "2");
    expect(socket.emit).type.not.toBeCallableWith("ask", "ready?");
    expect(socket.emit).type.not.toBeCallableWith("ask", "ready?", (_yes: string) => {});
  });

  test("gives the socket back", () => {
    expect(socket.emit("move", 1, 2)).type.toBe<Socket<ServerToClientEvents, ClientToServerEvents>>();
    expect(socket.volatile).type.toBe<Socket<ServerToClientEvents, ClientToServerEvents>>();
    expect(socket.compress(true)).type.toBe<Socket<ServerToClientEvents, ClientToServerEvents>>();
  });
});

describe("timeout of a socket", () => {
  test("puts an error before the arguments of the acknowledgement", () => {
    socket.timeout(10).emit("ask", "ready?", (...args) => {
      expect(args).type.toBe<[err: Error, yes: boolean, why: string]>();
    });
    socket.timeout(10).emit("done", (...args) => {
      expect(args).type.toBe<[err: Error]>();
    });
  });

  test("does so wherever a function stands", () => {
    socket.timeout(10).emit(
      "twice",
      (err, a) => {
        expect(err).type.toBe<Error>();
        expect(a).type.toBe<number>();
      },
      "x",
      (err, b) => {
        expect(err).type.toBe<Error>();
        expect(b).type.toBe<string>();
      },
    );
  });

  test("leaves what is listened to, and events without acknowledgement, as they are", () => {
    const timed = socket.timeout(10);
    expect(timed.emit).type.toBeCallableWith("move", 1, 2);
    expect(timed.emit).type.not.toBeCallableWith("move", 1, "2");
    timed.on("question", (_text, answer) => {
      expect(answer).type.toBe<(yes: boolean, why: string) => void>();
    });
    expect(timed.volatile.compress(false).emit).type.toBeCallableWith("move", 1, 2);
  });

  test("asks for milliseconds", () => {
    expect(socket.timeout).type.not.toBeCallableWith();
    expect(socket.timeout).type.not.toBeCallableWith("10");
  });

  test("decorates acknowledgements that may be left out", () => {
    const optional = {} as Socket<{ save: (text: string, ack?: (id: number) => void) => void }>;
    expect(optional.timeout(10).emit).type.toBeCallableWith("save", "x");
    optional.timeout(10).emit("save", "x", (err, id) => {
      expect(err).type.toBe<Error>();
      expect(id).type.toBe<number>();
    });
  });

  test("adds an error to acknowledgements that the map gives one already, since those are two", () => {
    const own = {} as Socket<{ late: (ack: (err: Error, count: number) => void) => void }>;
    own.timeout(10).emit("late", (...args) => {
      expect(args).type.toBe<[err: Error, err: Error, count: number]>();
    });
  });
});

describe("emitWithAck", () => {
  test("awaits the first argument of the acknowledgement", () => {
    expect(socket.emitWithAck("ask", "ready?")).type.toBe<Promise<boolean>>();
    expect(socket.emitWithAck("done")).type.toBe<Promise<undefined>>();
    expect(socket.emitWithAck("twice", () => {}, "x")).type.toBe<Promise<string>>();
  });

  test("awaits the same after timeout", () => {
    expect(socket.timeout(10).emitWithAck("ask", "ready?")).type.toBe<Promise<boolean>>();
    expect(socket.timeout(10).emitWithAck("done")).type.toBe<Promise<undefined>>();
    expect(socket.timeout(10).volatile.emitWithAck("ask", "ready?")).type.toBe<Promise<boolean>>();
  });

  test("awaits any without an event map", () => {
    expect(untyped.emitWithAck("whatever", 1)).type.toBe<Promise<any>>();
    expect(untyped.timeout(10).emitWithAck("whatever", 1)).type.toBe<Promise<any>>();
    expect({} as Socket<any>["emitWithAck"]).type.toBeCallableWith("whatever", 1);
  });

  test("refuses unknown names and wrong arguments", () => {
    expect(socket.emitWithAck).type.not.toBeCallableWith("asc", "ready?");
    expect(socket.emitWithAck).type.not.toBeCallableWith("tick");
    expect(socket.emitWithAck).type.not.toBeCallableWith("ask");
    expect(socket.emitWithAck).type.not.toBeCallableWith("ask", 1);
    expect(socket.emitWithAck).type.not.toBeCallableWith("ask", "ready?", () => {});
    expect(socket.timeout(10).emitWithAck).type.not.toBeCallableWith("ask", 1);
  });

  test("awaits the argument of an acknowledgement that may be left out", () => {
    const optional = {} as Socket<{ save: (text: string, ack?: (id: number) => void) => void }>;
    expect(optional.emitWithAck("save", "x")).type.toBe<Promise<number>>();
    expect(optional.timeout(10).emitWithAck("save", "x")).type.toBe<Promise<number>>();
    expect(optional.emitWithAck).type.not.toBeCallableWith("save", 1);
  });

  test("awaits arguments that look like an error by structure", () => {
    interface ChatMessage {
      name: string;
      message: string;
      sentAt: number;
    }
    const chat = {} as Socket<{ last: (ack: (message: ChatMessage) => void) => void }>;
    expect(chat.emitWithAck("last")).type.toBe<Promise<ChatMessage>>();
    expect(chat.timeout(10).emitWithAck("last")).type.toBe<Promise<ChatMessage>>();
  });

  test("awaits any where it depends on the option ackTimeout whether the error of the map is the client's", () => {
    const failing = {} as Socket<{
      load: (ack: (err: Error | null, size: number) => void) => void;
      read: (ack: (err: any, size: number) => void) => void;
      find: (ack: (err: string | null, size: number) => void) => void;
    }>;
    expect(failing.emitWithAck("load")).type.toBe<Promise<any>>();
    expect(failing.timeout(10).emitWithAck("load")).type.toBe<Promise<any>>();
    expect(failing.emitWithAck("read")).type.toBe<Promise<any>>();
    expect(failing.emitWithAck("find")).type.toBe<Promise<string | null>>();
  });

  test("awaits the value behind the error that a map for ackTimeout gives its acknowledgements", () => {
    const timed = {} as Socket<{ late: (ack: (err: Error, count: number) => void) => void }>;
    expect(timed.emitWithAck("late")).type.toBe<Promise<number>>();
  });

  test("awaits any of events whose acknowledgement the map does not tell", () => {
    const partial = {} as Socket<{ count: () => void; raw: (...args: any[]) => void; anything: any }>;
    expect(partial.emitWithAck("count")).type.toBe<Promise<any>>();
    expect(partial.emitWithAck("raw", 1, "b")).type.toBe<Promise<any>>();
    expect(partial.emitWithAck("anything", 1)).type.toBe<Promise<any>>();
  });
});

describe("calls that know no event map", () => {
  test("are send and the listeners of all events", () => {
    expect(socket.send).type.toBeCallableWith();
    expect(socket.send).type.toBeCallableWith(1, "b", () => {});
    expect(socket.onAny).type.toBeCallableWith((_event: string, ..._args: unknown[]) => {});
    expect(socket.onAny).type.not.toBeCallableWith();
    expect(socket.prependAny).type.toBe<typeof socket.onAny>();
    expect(socket.onAnyOutgoing).type.toBe<typeof socket.onAny>();
    expect(socket.prependAnyOutgoing).type.toBe<typeof socket.onAny>();
    socket.onAny((...args) => {
      expect(args).type.toBe<any[]>();
    });
    expect(socket.offAny).type.toBeCallableWith();
    expect(socket.offAny).type.toBeCallableWith(() => {});
    expect(socket.offAnyOutgoing).type.toBe<typeof socket.offAny>();
    expect(socket.listenersAny()).type.toBe<((...args: any[]) => void)[]>();
    expect(socket.listenersAnyOutgoing()).type.toBe<((...args: any[]) => void)[]>();
  });
});

test("io is not generic; what it gives fits a variable that is typed", () => {
  expect(io()).type.toBe<Socket>();
  const typed: Socket<ServerToClientEvents, ClientToServerEvents> = io();
  expect(typed.emitWithAck("ask", "ready?")).type.toBe<Promise<boolean>>();
  expect<Socket>().type.toBeAssignableTo<Socket<ServerToClientEvents, ClientToServerEvents>>();
  expect<Socket<ServerToClientEvents, ClientToServerEvents>>().type.toBeAssignableTo<Socket>();
});
