import { createServer, type IncomingHttpHeaders } from "node:http";
import { eventInbox, Inbox, listen } from "@plugboard/testkit";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { NodeFetch } from "../node/node-fetch.js";
import { nodeHost } from "../node/node-host.js";
import { Fetch } from "./fetch.js";
import type { TransportError } from "./transport-error.js";

describe("Fetch", () => {
  it("takes any successful status", async () => {
    const origin = await listen(createServer((_req, res) => void res.writeHead(201).end("6")));
    const { hostname, port } = new URL(origin);
    const transport = new Fetch({ hostname, port, path: "/" });
    const packets = eventInbox(transport, "packet");
    transport.open();
    expect(await packets.next()).toEqual({ type: "noop" });
    transport.close();
  });

  it("reports an answer that breaks off", async () => {
    const origin = await listen(
      createServer((_req, res) => {
        res.writeHead(200, { "Content-Length": "100" });
        res.write("4", () => res.destroy());
      }),
    );
    const { hostname, port } = new URL(origin);
    const transport = new Fetch({ hostname, port, path: "/" });
    const errors = eventInbox<TransportError>(transport, "error");
    transport.open();
    expect(await errors.next()).toMatchObject({
      message: "fetch read error",
      description: expect.any(Error),
      context: undefined,
    });
  });

  it("sends cookies to its own origin, and to others when asked", async () => {
    const sent: RequestInit[] = [];
    const origin = await listen(createServer((_req, res) => void res.writeHead(400).end()));
    const { hostname, port } = new URL(origin);
    const realFetch = fetch;
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
      sent.push(init);
      return realFetch(url, init);
    });
    onTestFinished(() => void vi.unstubAllGlobals());
    for (const withCredentials of [false, true]) {
      const transport = new Fetch({ hostname, port, path: "/", withCredentials });
      const errors = eventInbox(transport, "error");
      transport.open();
      await errors.next();
    }
    expect(sent.map(({ credentials }) => credentials)).toEqual(["same-origin", "include"]);
  });

  it("keeps the cookies of the server where the engine has a jar", async () => {
    const headers = new Inbox<IncomingHttpHeaders>();
    const origin = await listen(
      createServer((req, res) => {
        headers.push(req.headers);
        if (headers.size === 1) res.setHeader("Set-Cookie", ["a=1; Path=/", "b=2"]);
        res.end(headers.size < 3 ? "6" : "1");
      }),
    );
    const { hostname, port } = new URL(origin);
    const socket = { _host: nodeHost, binaryType: "nodebuffer" as const };
    const extraHeaders = { Cookie: "own=0" };
    const transport = new NodeFetch({ hostname, port, path: "/", socket, withCredentials: true, extraHeaders });
    const polled = eventInbox(transport, "packet");
    transport.open().readyState = "open";
    await polled.take(2);
    const [first, second] = await headers.take(2);
    expect(first?.cookie).toBe("own=0");
    expect(second?.cookie).toBe("own=0; a=1; b=2");
    transport.close();
  });

  it("leaves what a listener throws to the host", async () => {
    const origin = await listen(createServer((_req, res) => void res.end("6")));
    const { hostname, port } = new URL(origin);
    const transport = new Fetch({ hostname, port, path: "/" });
    const errors = eventInbox(transport, "error");
    const problem = new Error("of a listener");
    const uncaught = new Promise((resolve) => process.once("unhandledRejection", resolve));
    const others = process.listeners("unhandledRejection").slice(0, -1);
    for (const listener of others) process.off("unhandledRejection", listener);
    onTestFinished(() => {
      for (const listener of others) process.on("unhandledRejection", listener);
    });
    transport.on("packet", () => {
      throw problem;
    });
    transport.open();
    expect(await uncaught).toBe(problem);
    expect(errors.size).toBe(0);
    transport.close();
  });
});
