import type * as Cjs from "../dist/index.cjs";
import type * as Esm from "../dist/index.js";
import { describe, expect, test } from "tstyche";

interface Events {
  hello: (name: string) => void;
  question: (text: string, ack: (yes: boolean) => void) => void;
}

describe("values of the ESM copy and of the CJS copy", () => {
  test("fit each other's parameters when their events are untyped", () => {
    expect<Esm.Server>().type.toBeAssignableTo<Cjs.Server>();
    expect<Cjs.Server>().type.toBeAssignableTo<Esm.Server>();
    expect<Esm.Namespace>().type.toBeAssignableTo<Cjs.Namespace>();
    expect<Cjs.Namespace>().type.toBeAssignableTo<Esm.Namespace>();
    expect<Esm.Socket>().type.toBeAssignableTo<Cjs.Socket>();
    expect<Cjs.Socket>().type.toBeAssignableTo<Esm.Socket>();
    expect<Esm.Adapter>().type.toBeAssignableTo<Cjs.Adapter>();
    expect<Esm.ServerOptions>().type.toBeAssignableTo<Cjs.ServerOptions>();
  });

  test("fit each other's parameters when their events are typed", () => {
    expect<Esm.Server<Events, Events, Events, number>>().type.toBeAssignableTo<
      Cjs.Server<Events, Events, Events, number>
    >();
    expect<Cjs.Server<Events, Events, Events, number>>().type.toBeAssignableTo<
      Esm.Server<Events, Events, Events, number>
    >();
    expect<Esm.Socket<Events>>().type.toBeAssignableTo<Cjs.Socket<Events>>();
    expect<Cjs.Socket<Events>>().type.toBeAssignableTo<Esm.Socket<Events>>();
    expect<Esm.BroadcastOperator<Events, number>>().type.toBeAssignableTo<Cjs.BroadcastOperator<Events, number>>();
    expect<Esm.RemoteSocket<Events, number>>().type.toBeAssignableTo<Cjs.RemoteSocket<Events, number>>();
  });

  test("do not fit when their events differ", () => {
    expect<Esm.Socket<Events, Events>>().type.not.toBeAssignableTo<
      Cjs.Socket<Events, { other: (x: number) => void }>
    >();
    expect<Esm.Socket<Events, Events, Events, string>>().type.not.toBeAssignableTo<
      Cjs.Socket<Events, Events, Events, number>
    >();
  });

  test("fit when their class extends ours", () => {
    const Socket = {} as Esm.SocketConstructor;
    class Player extends Socket<Events> {
      score = 0;
    }
    expect<Player>().type.toBeAssignableTo<Cjs.Socket<Events>>();
  });

  test("are made by constructors that fit each other", () => {
    expect<Esm.ServerConstructor>().type.toBeAssignableTo<Cjs.ServerConstructor>();
    expect<Cjs.ServerConstructor>().type.toBeAssignableTo<Esm.ServerConstructor>();
  });
});
