import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventDefinition } from "./contract.js";
import { defineEvents } from "./define-events.js";
import type { StandardSchema } from "./standard-schema.js";

const schema: StandardSchema = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
/** Schemas of ArkType are functions. */
const callable: StandardSchema = Object.assign(() => true, schema);

describe("defineEvents", () => {
  it("keeps what is defined", () => {
    const contract = defineEvents({
      client: { add: { payload: schema, ack: callable, description: "Adds" }, hello: {} },
      server: { added: { payload: schema, ack: undefined } },
    });
    expect(contract).toEqual({
      client: { add: { payload: schema, ack: callable, description: "Adds" }, hello: {} },
      server: { added: { payload: schema } },
    });
    expect(contract.client.add.payload).toBe(schema);
  });

  it("takes one side alone, or none", () => {
    expect(defineEvents({})).toEqual({ client: {}, server: {} });
    expect(defineEvents({ client: { hello: {} } })).toEqual({ client: { hello: {} }, server: {} });
  });

  it("is not changed by who changes the definitions afterwards, nor by who has the contract", () => {
    const definitions = { client: { add: { payload: schema } as { payload?: StandardSchema } } };
    const contract = defineEvents(definitions);
    delete definitions.client.add.payload;
    expect(contract.client.add.payload).toBe(schema);
    for (const part of [contract, contract.client, contract.server, contract.client.add]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it("knows no event that every object would know", () => {
    const { client } = defineEvents({ client: {} as Record<string, EventDefinition> });
    for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) expect(client[name]).toBeUndefined();
  });

  it.each(["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"])(
    "refuses the reserved name %s",
    (name) => {
      for (const side of ["client", "server"]) {
        expect(() => defineEvents({ [side]: { [name]: {} } })).toThrow(
          expect.objectContaining({
            code: "SIO_RESERVED_EVENT",
            message: `event "${name}" of the ${side}: the name is reserved`,
          }),
        );
      }
    },
  );

  it.each([null, 1, "string", {}, { type: "object" }, { "~standard": null }, { "~standard": { version: 2 } }, () => 1])(
    "refuses %o as a schema",
    (value) => {
      for (const part of ["payload", "ack"]) {
        expect(() => defineEvents({ client: { add: { [part]: value } as EventDefinition } })).toThrow(
          expect.objectContaining({
            code: "SIO_NO_SCHEMA",
            message: `event "add" of the client: ${part} is no Standard Schema`,
          }),
        );
      }
    },
  );

  it.each([
    { definition: null, message: "expected an object such as { payload, ack }" },
    { definition: "add", message: "expected an object such as { payload, ack }" },
    { definition: { playload: schema }, message: "playload is not of { payload, ack, description }" },
    { definition: { description: 1 }, message: "description is not of { payload, ack, description }" },
  ])("refuses the definition $definition", ({ definition, message }) => {
    expect(() => defineEvents({ server: { added: definition as never } })).toThrow(
      expect.objectContaining({ code: "SIO_INVALID_DEFINITION", message: `event "added" of the server: ${message}` }),
    );
  });

  it("keeps every event, whatever its name", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (names) => {
        const own = [...names, "__proto__"].map((name): [string, EventDefinition] => [`${name}`, { payload: schema }]);
        const { client } = defineEvents({ client: Object.fromEntries(own) });
        for (const [name] of own) expect(client[name]?.payload).toBe(schema);
        expect(Object.keys(client)).toHaveLength(new Set(own.map(([name]) => name)).size);
      }),
    );
  });
});
