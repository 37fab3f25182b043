import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installLocked } from "../support/install-locked.js";
import { nextEvent } from "../support/next-event.js";
import { clientsOn, NEST_RUNS, prepareNest, startNest, type NestProcess } from "./nest-app.js";

const requirePeer = createRequire(new URL("../asyncapi/package.json", import.meta.url));

interface ParsedDocument {
  channels(): { all(): { address(): string }[] };
  operations(): { all(): { action(): string; title(): string; reply(): unknown }[] };
}

interface AsyncApiParser {
  parse(text: string): Promise<{ document?: ParsedDocument; diagnostics: { severity: number }[] }>;
}

let parser: AsyncApiParser;
beforeAll(async () => {
  await installLocked(fileURLToPath(new URL("../asyncapi/", import.meta.url)));
  parser = new (requirePeer("@asyncapi/parser") as { Parser: new () => AsyncApiParser }).Parser();
});

describe.each(NEST_RUNS)("@WsEvent on Nest $version with $platform", ({ version, platform }) => {
  let app: NestProcess;
  beforeAll(async () => {
    await prepareNest(version);
    app = await startNest(version, "contracts", { PLATFORM: platform });
  });
  afterAll(async () => {
    expect(app.output()).not.toContain("unhandledRejection");
    await app.kill();
  });

  describe.each(clientsOn({ version, platform }))("$name", ({ connect }) => {
    const ask = async (event: string, ...args: unknown[]): Promise<unknown> => {
      const client = await connect(app.url);
      return client.timeout(5000).emitWithAck(event, ...args);
    };

    it("hands what the schema makes of the payload to every kind of parameter, and sends what it makes of the answer", async () => {
      expect(await ask("room:join", { room: " abc ", more: 1 })).toEqual({ members: 3 });
      expect(await ask("room:joined", { room: " ab " })).toEqual({ members: 4 });
      expect(await ask("room:observed", { room: " a " })).toEqual({ members: 1 });
      expect(await ask("room:async", { room: "a" })).toEqual({ members: 0 });
      expect(await ask("ping")).toBe("pong");
    });

    it("refuses a payload that is not valid, in the one shape of errors", async () => {
      expect(await ask("room:join", { room: " " })).toEqual({
        status: "error",
        code: "SIO_INVALID_PAYLOAD",
        message: expect.stringMatching(/^Invalid payload at room: /),
        data: { issues: [{ path: ["room"], message: expect.any(String) }] },
      });
      expect(await ask("room:async", { room: "nowhere" })).toMatchObject({ message: "Invalid payload: no such room" });
      expect(await ask("room:join")).toMatchObject({ code: "SIO_INVALID_PAYLOAD" });
      const tooMany = { status: "error", code: "SIO_INVALID_PAYLOAD", message: "Invalid payload: too many arguments" };
      expect(await ask("room:join", { room: "a" }, 2)).toEqual(tooMany);
      expect(await ask("ping", 1)).toEqual(tooMany);
    });

    it("tells a client that waits for no answer by the event 'exception'", async () => {
      const client = await connect(app.url);
      client.emit("room:leave", {});
      expect(await nextEvent(client, "exception")).toMatchObject([{ code: "SIO_INVALID_PAYLOAD" }]);
      client.emit("room:leave", { room: " left " });
      expect(await nextEvent(client, "left")).toEqual([{ room: "left" }]);
    });

    it("asks guards before it looks at the payload", async () => {
      expect(await ask("room:guarded", { room: 1 })).toMatchObject({ code: "SIO_FORBIDDEN" });
    });

    it("does not let an answer out that is not valid, and logs what is wrong with it", async () => {
      const refused = { status: "error", code: "SIO_INVALID_ACK", message: "The answer is not valid" };
      expect(await ask("room:joined", { room: "wrong" })).toEqual(refused);
      await app.printed('"room:joined": Invalid acknowledgement at members');
      expect(await ask("room:async", { room: "silent" })).toEqual(refused);
      expect(await ask("room:by-hand", { room: "wrong" })).toEqual(refused);
    });

    it("validates what a handler answers by hand, what interceptors make of an answer, and lets errors pass", async () => {
      expect(await ask("room:by-hand", { room: "a" })).toEqual({ members: 1 });
      expect(await ask("room:wrapped", { room: "abc" })).toEqual({ wrapped: { members: 3 } });
      expect(await ask("room:async", { room: "full" })).toEqual({
        status: "error",
        code: "FULL",
        message: "no seat left",
      });
    });
  });

  it("is described by a document in which AsyncAPI's own parser finds no error", async () => {
    const text = /^document (.*)$/m.exec(app.output())?.[1] as string;
    const { document, diagnostics } = await parser.parse(text);
    expect(diagnostics.filter(({ severity }) => severity === 0)).toEqual([]);
    const channels = document?.channels().all() ?? [];
    expect(channels.map((channel) => channel.address())).toEqual(["/", "/admin"]);
    const operations = document?.operations().all() ?? [];
    const described = operations.map((each) => [each.action(), each.title(), each.reply() !== undefined]);
    expect(described).toEqual([
      ["receive", "room:join", true],
      ["receive", "room:joined", true],
      ["receive", "room:by-hand", true],
      ["receive", "room:observed", true],
      ["receive", "room:async", true],
      ["receive", "room:guarded", true],
      ["receive", "room:wrapped", true],
      ["receive", "room:leave", false],
      ["receive", "ping", true],
      ["send", "room:opened", false],
      ["receive", "user:ban", true],
    ]);
  });
});
