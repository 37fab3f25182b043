import type * as Cjs from "../dist/index.cjs";
import type * as Esm from "../dist/index.mjs";
import { describe, expect, test } from "tstyche";

interface Events {
  hello: (name: string) => void;
  question: (text: string, ack: (yes: boolean) => void) => void;
}

describe("values of the ESM copy and of the CJS copy", () => {
  test("fit each other's parameters when their events are untyped", () => {
    expect<Esm.Socket>().type.toBeAssignableTo<Cjs.Socket>();
    expect<Cjs.Socket>().type.toBeAssignableTo<Esm.Socket>();
    expect<Esm.Manager>().type.toBeAssignableTo<Cjs.Manager>();
    expect<Cjs.Manager>().type.toBeAssignableTo<Esm.Manager>();
    expect<Esm.ManagerOptions>().type.toBeAssignableTo<Cjs.ManagerOptions>();
    expect<Esm.SocketOptions>().type.toBeAssignableTo<Cjs.SocketOptions>();
  });

  test("fit each other's parameters when their events are typed", () => {
    expect<Esm.Socket<Events>>().type.toBeAssignableTo<Cjs.Socket<Events>>();
    expect<Cjs.Socket<Events>>().type.toBeAssignableTo<Esm.Socket<Events>>();
    expect<Esm.Manager<Events>>().type.toBeAssignableTo<Cjs.Manager<Events>>();
    expect<ReturnType<Esm.Socket<Events>["timeout"]>>().type.toBeAssignableTo<
      ReturnType<Cjs.Socket<Events>["timeout"]>
    >();
  });

  test("fit when their class extends ours", () => {
    const Socket = {} as Esm.SocketConstructor;
    class Player extends Socket<Events> {
      score = 0;
    }
    expect<Player>().type.toBeAssignableTo<Cjs.Socket<Events>>();
  });

  test("are made by constructors and functions that fit each other", () => {
    expect<Esm.SocketConstructor>().type.toBeAssignableTo<Cjs.SocketConstructor>();
    expect<Cjs.SocketConstructor>().type.toBeAssignableTo<Esm.SocketConstructor>();
    expect<Esm.ManagerConstructor>().type.toBeAssignableTo<Cjs.ManagerConstructor>();
    expect<Cjs.ManagerConstructor>().type.toBeAssignableTo<Esm.ManagerConstructor>();
    expect<Esm.Lookup>().type.toBeAssignableTo<Cjs.Lookup>();
    expect<Cjs.Lookup>().type.toBeAssignableTo<Esm.Lookup>();
  });

  test("carry transports of one copy to the managers of the other", () => {
    expect<Esm.Engine>().type.toBeAssignableTo<Cjs.Engine>();
    expect<typeof Esm.Transport>().type.toBeAssignableTo<typeof Cjs.Transport>();
    expect<typeof Esm.Fetch>().type.toBeAssignableTo<NonNullable<Cjs.ManagerOptions["transports"]>[number]>();
  });
});
