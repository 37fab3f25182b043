import { EventEmitter } from "node:events";
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import { describe, expect, it, vi } from "vitest";
import { RequestFront } from "./request-front.js";

const request = (url: string): IncomingMessage => ({ url }) as IncomingMessage;
const response = {} as ServerResponse;

/** What stands in for an HTTP server: fronts look at its listeners only. */
function fakeServer(): { server: HttpServer; heard: string[]; ask: (url: string) => string[] } {
  const server = new EventEmitter() as HttpServer;
  const heard: string[] = [];
  const ask = (url: string): string[] => {
    heard.length = 0;
    server.emit("request", request(url), response);
    return [...heard];
  };
  return { server, heard, ask };
}

describe("a request front", () => {
  it("takes what it wants and leaves the rest to the listeners that were there", () => {
    const { server, heard, ask } = fakeServer();
    server.on("request", () => heard.push("first"));
    server.once("request", () => heard.push("once"));
    new RequestFront(server, ({ url }) => url === "/ours" && heard.push("ours") > 0);
    expect(ask("/ours")).toEqual(["ours"]);
    expect(ask("/theirs")).toEqual(["first", "once"]);
    expect(ask("/theirs")).toEqual(["first"]);
  });

  it("calls the listeners with the server as `this`, as an event does", () => {
    const { server } = fakeServer();
    const listener = vi.fn();
    server.on("request", listener);
    new RequestFront(server, () => false);
    server.emit("request", request("/"), response);
    expect(listener.mock.contexts).toEqual([server]);
  });

  it("puts the listeners back in their place, between those that came later", () => {
    const { server } = fakeServer();
    const [earlier, before, after] = [(): void => {}, (): void => {}, (): void => {}];
    server.on("request", before);
    const front = new RequestFront(server, () => false);
    server.prependListener("request", earlier);
    server.on("request", after);
    front.leave();
    expect(server.listeners("request")).toEqual([earlier, before, after]);
  });

  it("changes nothing when it leaves behind somebody who calls it himself", () => {
    const { server, heard, ask } = fakeServer();
    server.on("request", () => heard.push("theirs"));
    const inner = new RequestFront(server, () => false);
    const outer = new RequestFront(server, ({ url }) => url === "/outer");
    inner.leave();
    expect(ask("/other")).toEqual(["theirs"]);
    outer.leave();
    expect(ask("/other")).toEqual(["theirs"]);
  });
});
