import { describe, expect, it } from "vitest";
import { NodeWebSocket } from "../node/node-websocket.js";
import { NodeXHR } from "../node/node-xhr.js";
import { Fetch } from "./fetch.js";
import { WebSocket } from "./websocket.js";
import { XHR } from "./xhr.js";

const stampOf = (uri: string, name = "t"): string => new URL(uri).searchParams.get(name) ?? "";

for (const Class of [XHR, NodeXHR, Fetch]) {
  describe(`the URI of ${Class.name}`, () => {
    it("has the path as it was given, and a query only where there is one", () => {
      const bare = { path: "/engine.io", hostname: "localhost", timestampRequests: false };
      expect(new Class(bare).uri()).toBe("http://localhost/engine.io");
      expect(new Class({ ...bare, query: { sid: "a b" } }).uri()).toBe("http://localhost/engine.io?sid=a%20b");
    });

    it("leaves out the port of the scheme, as a number or as a text", () => {
      const options = { path: "/", hostname: "localhost", timestampRequests: false };
      for (const port of [80, "80"]) expect(new Class({ ...options, port }).uri()).toBe("http://localhost/");
      for (const port of [443, "443"]) {
        expect(new Class({ ...options, port, secure: true }).uri()).toBe("https://localhost/");
      }
      expect(new Class({ ...options, port: 443 }).uri()).toBe("http://localhost:443/");
    });

    it("has brackets around an IPv6 address", () => {
      expect(new Class({ path: "/", hostname: "::1", port: 3000, timestampRequests: false }).uri()).toBe(
        "http://[::1]:3000/",
      );
    });

    it("is stamped by 8 characters that never come twice", () => {
      const transport = new Class({ path: "/", hostname: "localhost", timestampParam: "now" });
      const stamps = Array.from({ length: 5000 }, () => stampOf(transport.uri(), "now"));
      expect(stamps.every((stamp) => /^[0-9a-z]{8}$/.test(stamp))).toBe(true);
      expect(new Set(stamps).size).toBe(5000);
      expect(transport.query).toEqual({});
    });

    it("asks for base64 at the handshake only", () => {
      const transport = new Class({ path: "/", hostname: "localhost", forceBase64: true });
      expect(stampOf(transport.uri(), "b64")).toBe("1");
      transport.query["sid"] = "x";
      expect(transport.uri()).not.toContain("b64");
    });
  });
}

for (const Class of [WebSocket, NodeWebSocket]) {
  describe(`the URI of ${Class.name}`, () => {
    it("is that of a WebSocket, without a stamp unless it is asked for", () => {
      const options = { path: "/engine.io", hostname: "localhost", port: 3000 };
      expect(new Class(options).uri()).toBe("ws://localhost:3000/engine.io");
      expect(new Class({ ...options, secure: true, port: 443 }).uri()).toBe("wss://localhost/engine.io");
      expect(stampOf(new Class({ ...options, timestampRequests: true }).uri())).toMatch(/^[0-9a-z]{8}$/);
    });

    it("asks for base64 whenever it is forced", () => {
      const options = { path: "/", hostname: "localhost", forceBase64: true, query: { sid: "x" } };
      expect(new Class(options).uri()).toBe("ws://localhost/?sid=x&b64=1");
    });
  });
}
