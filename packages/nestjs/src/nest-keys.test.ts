import { afterEach, describe, expect, it, vi } from "vitest";

afterEach(() => {
  vi.doUnmock("@nestjs/websockets");
  vi.doUnmock("@nestjs/common");
  vi.resetModules();
});

/** Loads the keys with decorators that keep what they are told elsewhere. */
async function loadWith(module: string, name: string): Promise<unknown> {
  vi.resetModules();
  vi.doMock(module, async (original) => ({ ...(await original<object>()), [name]: () => () => {} }));
  return import("./nest-keys.js");
}

describe("the self-test at load", () => {
  it("finds where Nest keeps what its decorators are told", async () => {
    const { NEST_KEYS } = await import("./nest-keys.js");
    for (const key of Object.values(NEST_KEYS)) expect(key).toEqual(expect.any(String));
    expect(new Set(Object.values(NEST_KEYS)).size).toBe(Object.keys(NEST_KEYS).length);
  });

  it.each([
    ["@nestjs/websockets", "WebSocketGateway"],
    ["@nestjs/websockets", "SubscribeMessage"],
    ["@nestjs/websockets", "WebSocketServer"],
    ["@nestjs/common", "UseGuards"],
    ["@nestjs/common", "UseFilters"],
    ["@nestjs/common", "UsePipes"],
    ["@nestjs/common", "UseInterceptors"],
  ])("fails with the name of the decorator when %s keeps %s elsewhere", async (module, name) => {
    await expect(loadWith(module, name)).rejects.toThrow(new RegExp(`@${name} keeps .*SIO_NESTJS_UNKNOWN_NEST`));
  });
});
