import "reflect-metadata";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { WebSocketGateway } from "@nestjs/websockets";
import { defineEvents, fromJsonSchema, type AsyncApiDocument, type Contract } from "@plugboard/contract";
import { describe, expect, it } from "vitest";
import { createAsyncApi } from "./async-api.js";
import { WsEvent } from "./contract-events.js";

const text = () => fromJsonSchema({ type: "string" }, (value: unknown): value is string => typeof value === "string");
const [name, other] = [text(), text()];

/** A gateway whose one method handles an event. */
function gateway(
  contract: Contract,
  event: string,
  namespace?: string | RegExp,
  Base: new () => object = Object,
): object {
  class Gateway extends Base {}
  const descriptor = { value: () => undefined, configurable: true, writable: true };
  Object.defineProperty(Gateway.prototype, event, descriptor);
  WsEvent(contract, event)(Gateway.prototype, event, descriptor as never);
  WebSocketGateway(namespace === undefined ? {} : { namespace })(Gateway);
  return Gateway;
}

async function documentOf(...gateways: object[]): Promise<AsyncApiDocument> {
  class AppModule {}
  Module({ providers: gateways as [] })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  try {
    return createAsyncApi(app as never, { title: "Test", version: "1.0.0" });
  } finally {
    await app.close();
  }
}

const channelsOf = ({ channels }: AsyncApiDocument) =>
  Object.fromEntries(
    Object.values(channels).map(({ address, messages }) => [address, Object.values(messages).map((each) => each.name)]),
  );

describe("the document of an application", () => {
  it("has the events that gateways handle, by namespace, and what the server sends by the same contracts", async () => {
    const contract = defineEvents({ client: { a: { payload: name }, b: {}, c: {} }, server: { told: {} } });
    const chat = defineEvents({ client: { say: { payload: name } } });
    const document = await documentOf(
      gateway(contract, "a"),
      gateway(contract, "b"),
      gateway(chat, "say", "chat"),
      gateway(chat, "say", "/room-:id"),
    );
    expect(channelsOf(document)).toEqual({ "/": ["a", "b", "told"], "/chat": ["say"], "/room-:id": ["say"] });
  });

  it("has inherited handlers too", async () => {
    const contract = defineEvents({ client: { a: {}, b: {} } });
    const Base = gateway(contract, "a") as new () => object;
    expect(channelsOf(await documentOf(gateway(contract, "b", undefined, Base)))).toEqual({ "/": ["b", "a"] });
  });

  it("takes two contracts of a namespace that agree, and none that do not", async () => {
    const contract = (payload: ReturnType<typeof text>) => defineEvents({ client: { a: { payload } } });
    const agreeing = documentOf(gateway(contract(name), "a"), gateway(contract(name), "a"));
    expect(channelsOf(await agreeing)).toEqual({ "/": ["a"] });
    await expect(documentOf(gateway(contract(name), "a"), gateway(contract(other), "a"))).rejects.toThrow(
      'two contracts of the namespace / give the event "a" different schemas',
    );
  });
});

describe("@WsEvent", () => {
  it("refuses an event that the contract does not have", () => {
    const contract = defineEvents({ client: { a: {} }, server: { told: {} } }) as Contract;
    for (const event of ["b", "told", "constructor"]) {
      expect(() => WsEvent(contract, event)).toThrow(`no client sends "${event}", says the contract`);
    }
  });
});
