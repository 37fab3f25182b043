import { describe, expect, it } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { startExample } from "../support/example-process.js";

describe.each(bothClients)("with $name, the example of errors", ({ connect }) => {
  it("answers every event: a value, nothing, a refusal, an invalid payload, an exception, a hang", async () => {
    const example = await startExample("bare-node/errors.js");
    const guest = await connect(example.url);
    const customer = await connect(example.url, { auth: { customer: "ada" } });
    expect(await guest.emitWithAck("stock")).toEqual({ tea: 2, coffee: 0 });
    expect(await guest.emitWithAck("touch")).toBeUndefined();
    expect(await guest.emitWithAck("order", { product: "tea" })).toEqual({
      status: "error",
      code: "SIO_UNAUTHORIZED",
      message: "Log in first",
    });
    expect(await customer.emitWithAck("order", { product: "tea" })).toEqual({ product: "tea", left: 1 });
    expect(await customer.emitWithAck("order", { product: "tea", count: -1 })).toMatchObject({
      status: "error",
      code: "SIO_INVALID_PAYLOAD",
      data: { issues: [{ path: ["count"] }] },
    });
    expect(await customer.emitWithAck("order", { product: "coffee" })).toEqual({
      status: "error",
      code: "OUT_OF_STOCK",
      message: "no coffee left",
      data: { event: "order" },
    });
    expect(await customer.emitWithAck("bug")).toEqual({
      status: "error",
      code: "SIO_INTERNAL_ERROR",
      message: "Internal server error",
    });
    expect(await customer.emitWithAck("hang")).toMatchObject({ status: "error", code: "SIO_HANDLER_TIMEOUT" });
    expect(await example.stop()).toBe(0);
  });
});
