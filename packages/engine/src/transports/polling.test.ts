import { describe, expect, it } from "vitest";
import { MemoryRequest, message, RecordedEvents, transportContract, type MemoryRequestInit } from "@plugboard/testkit";
import type { HttpAnswer } from "../http-port.js";
import { resolveEngineOptions, type EngineOptions } from "../options.js";
import { PollingTransport } from "./polling.js";

const URL_OF_SESSION = "/engine.io/?EIO=4&transport=polling&sid=x";

function create(options?: EngineOptions) {
  const transport = new PollingTransport(resolveEngineOptions(options));
  const events = new RecordedEvents();
  transport.events = events;
  const request = (init?: MemoryRequestInit): MemoryRequest => new MemoryRequest(URL_OF_SESSION, init);
  const poll = (): Promise<HttpAnswer> => transport.handle(request());
  const post = (body: string, headers = {}): Promise<HttpAnswer> =>
    transport.handle(request({ method: "POST", body, headers }));
  return { transport, events, request, poll, post };
}

transportContract("polling", () => {
  const { transport, request, poll, post } = create();
  const answers: HttpAnswer[] = [];
  return {
    transport,
    makeReady: () => void poll().then((answer) => answers.push(answer)),
    async completeWrites() {
      await Promise.resolve();
      for (const answer of answers) answer.done();
    },
    async received() {
      await Promise.resolve();
      return answers.flatMap((answer) => String(answer.body).split("\x1e"));
    },
    deliver: async (encoded) => void (await post(encoded)),
    vanish() {
      const gone = request();
      transport.send([message("makes room for the poll that breaks")]);
      void transport.handle(gone);
      gone.goAway();
    },
  };
});

describe("PollingTransport", () => {
  it("answers a poll with the exact header fields of the protocol", async () => {
    const { transport, poll } = create();
    const answer = poll();
    transport.send([message("hé")]);
    expect(await answer).toMatchObject({
      status: 200,
      headers: { "Content-Type": "text/plain; charset=UTF-8", "Content-Length": "4", "cache-control": "no-store" },
      body: "4hé",
    });
  });

  it("answers a post with ok, after its packets have been processed", async () => {
    const { events, post } = create();
    const answer = await post("4a\x1e4b");
    expect(events.packets).toHaveLength(2);
    expect(answer).toMatchObject({ status: 200, headers: { "Content-Type": "text/html" }, body: "ok" });
  });

  it("refuses a second poll and breaks the session when one is pending", async () => {
    const { events, poll } = create();
    void poll();
    expect((await poll()).status).toBe(400);
    expect(events.log).toContain("error overlap from client");
  });

  it("refuses a second post and breaks the session when one is in progress", async () => {
    const { events, transport, request, post } = create();
    void transport.handle(request({ method: "POST", isSlow: true }));
    expect((await post("4a")).status).toBe(400);
    expect(events.log).toEqual(["error data request overlap from client"]);
  });

  it("refuses a binary body and breaks the session", async () => {
    const { events, post } = create();
    expect((await post("4a", { "content-type": "application/octet-stream" })).status).toBe(400);
    expect(events.log).toEqual(["error invalid content"]);
  });

  it("refuses a body over the limit and lives on, and takes one at the limit", async () => {
    const { events, post } = create({ maxHttpBufferSize: 5 });
    expect((await post("4" + "a".repeat(5))).status).toBe(413);
    expect(events.log).toEqual([]);
    expect((await post("4aaaa")).status).toBe(200);
    expect(events.packets).toEqual([{ type: "message", data: "aaaa" }]);
  });

  it("breaks the session when a post ends early", async () => {
    const { events, transport, request } = create();
    const upload = request({ method: "POST", isSlow: true });
    const answer = transport.handle(upload);
    upload.goAway();
    await answer;
    expect(events.log).toEqual(["error data request connection closed prematurely"]);
  });

  it("breaks the session when an answer could not be written", async () => {
    const { events, transport, poll } = create();
    const answer = poll();
    transport.send([message("lost")]);
    (await answer).done(new Error("ECONNRESET"));
    expect(events.log).toEqual(["ready", "error answer not written"]);
  });

  it("takes no second post while the answer to the first is held back", async () => {
    const { events, transport, post } = create();
    transport.pause();
    const first = post("4a");
    await new Promise((resolve) => setImmediate(resolve));
    expect((await post("4b")).status).toBe(400);
    expect(events.log).toContain("error data request overlap from client");
    transport.close("now");
    expect((await first).body).toBe("ok");
  });

  it("answers the post that brings a close although it is paused", async () => {
    const { transport, events, post } = create();
    events.onPacket = () => transport.pause();
    expect((await post("4a\x1e1")).body).toBe("ok");
  });

  it("answers other methods with 500 and lives on", async () => {
    const { events, transport, request } = create();
    expect(await transport.handle(request({ method: "PUT" }))).toMatchObject({ status: 500, body: "" });
    expect(events.log).toEqual([]);
  });

  it("answers the pending poll with 6 when the client posts a close", async () => {
    const { poll, post } = create();
    const pending = poll();
    expect((await post("1")).body).toBe("ok");
    expect((await pending).body).toBe("6");
  });

  it("answers the pending poll with 1 when it is closed", async () => {
    const { events, transport, poll } = create();
    const pending = poll();
    transport.close("orderly");
    expect((await pending).body).toBe("1");
    expect(events.log).toEqual(["ready", "close"]);
  });

  it("lets the next poll take an orderly close along", async () => {
    const { events, transport, poll } = create();
    transport.close("orderly");
    expect(events.log).toEqual([]);
    expect(transport.writable).toBe(false);
    expect((await poll()).body).toBe("6\x1e1");
    expect(events.log).toEqual(["ready", "close"]);
  });

  it("drops a post in progress when it is closed, so that the HTTP server can close", () => {
    const { transport, request } = create();
    const upload = request({ method: "POST", isSlow: true });
    void transport.handle(upload);
    transport.close("now");
    expect(upload.isAborted).toBe(true);
  });

  it("answers the post that brought a packet which closes the session", async () => {
    const { events, transport, post } = create();
    events.onPacket = () => transport.close("orderly");
    expect((await post("4a")).body).toBe("ok");
  });

  it("tells old Internet Explorers not to sniff", async () => {
    const { transport, request } = create();
    const answer = transport.handle(request({ headers: { "user-agent": "Mozilla/5.0 (compatible;MSIE 9.0)" } }));
    transport.send([message("a")]);
    expect((await answer).headers["X-XSS-Protection"]).toBe("0");
  });
});

describe("compression of polls", () => {
  async function encodingOf(accept: string | undefined, length: number, options?: EngineOptions, compress = true) {
    const { transport, request } = create(options);
    const headers: Record<string, string> = accept === undefined ? {} : { "accept-encoding": accept };
    const answer = transport.handle(request({ headers }));
    transport.send([{ type: "message", data: "a".repeat(length), options: { compress } }]);
    return (await answer).headers["Content-Encoding"];
  }

  it.each([
    ["gzip", "gzip"],
    ["deflate", "deflate"],
    ["gzip, deflate", "gzip"],
    ["deflate, gzip", "deflate"],
    ["deflate;q=0.5, gzip;q=0.9", "gzip"],
    ["*", "gzip"],
    ["gzip;q=0", undefined],
    ["*;q=0", undefined],
    ["identity", undefined],
    ["br", undefined],
    ["constructor", undefined],
    [`gzip${", x".repeat(200)}`, undefined],
    [undefined, undefined],
  ])("for Accept-Encoding %s chooses %s", async (accept, expected) => {
    expect(await encodingOf(accept, 2000)).toBe(expected);
  });

  it("starts at the threshold, counted in bytes of the payload", async () => {
    expect(await encodingOf("gzip", 1022)).toBeUndefined();
    expect(await encodingOf("gzip", 1023)).toBe("gzip");
    expect(await encodingOf("gzip", 10, { httpCompression: { threshold: 0 } })).toBe("gzip");
    expect(await encodingOf("gzip", 10, { httpCompression: true })).toBe("gzip");
  });

  it("is off when the option or the message says so", async () => {
    expect(await encodingOf("gzip", 2000, { httpCompression: false })).toBeUndefined();
    expect(await encodingOf("gzip", 2000, {}, false)).toBeUndefined();
  });
});
