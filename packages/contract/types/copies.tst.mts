import type * as Cjs from "../dist/index.cjs";
import type * as Esm from "../dist/index.js";
import { describe, expect, test } from "tstyche";
import { z } from "zod";

const define = {} as typeof Esm.defineEvents;
const contract = define({ client: { add: { payload: z.string(), ack: z.number() } } });

describe("values of the ESM copy and of the CJS copy", () => {
  test("fit each other's parameters", () => {
    expect<Esm.Contract>().type.toBeAssignableTo<Cjs.Contract>();
    expect<Cjs.Contract>().type.toBeAssignableTo<Esm.Contract>();
    expect<Esm.EventError>().type.toBeAssignableTo<Cjs.EventError>();
    expect<Cjs.EventError>().type.toBeAssignableTo<Esm.EventError>();
    expect<Esm.StandardSchema<string, number>>().type.toBeAssignableTo<Cjs.StandardSchema<string, number>>();
  });

  test("have the same event maps", () => {
    expect<Cjs.ClientEmitEvents<typeof contract>>().type.toBe<Esm.ClientEmitEvents<typeof contract>>();
    expect<Cjs.ServerListenEvents<typeof contract>>().type.toBe<Esm.ServerListenEvents<typeof contract>>();
  });
});
