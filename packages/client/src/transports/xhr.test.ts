import { createServer } from "node:http";
import { eventInbox, Inbox, listen, SmallXMLHttpRequest } from "@plugboard/testkit";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { TransportError } from "./transport-error.js";
import { XHR } from "./xhr.js";

/** Remembers the requests made, and is as strict about headers as a browser. */
class RecordingXMLHttpRequest extends SmallXMLHttpRequest {
  static made = new Inbox<RecordingXMLHttpRequest>();

  constructor() {
    super();
    RecordingXMLHttpRequest.made.push(this);
  }
}

function useXMLHttpRequest(implementation: unknown): void {
  vi.stubGlobal("XMLHttpRequest", implementation);
  onTestFinished(() => void vi.unstubAllGlobals());
}

describe("XHR", () => {
  it("fails a moment later where there is no XMLHttpRequest", async () => {
    const transport = new XHR({ hostname: "localhost" });
    const errors = eventInbox<TransportError>(transport, "error");
    transport.open();
    expect(errors.size).toBe(0);
    expect(await errors.next()).toMatchObject({
      message: "xhr poll error",
      description: expect.any(ReferenceError),
      context: undefined,
    });
  });

  it("sends credentials to other origins when asked, and goes without a header that cannot be set", async () => {
    useXMLHttpRequest(RecordingXMLHttpRequest);
    const headers = new Inbox<Record<string, unknown>>();
    const origin = await listen(
      createServer((req, res) => {
        headers.push(req.headers);
        res.end("6");
      }),
    );
    const { hostname, port } = new URL(origin);
    const extraHeaders = { "not a name": "x", "X-Name": "y" };
    const transport = new XHR({ hostname, port, path: "/", withCredentials: true, extraHeaders });
    transport.open();
    expect(await headers.next()).toMatchObject({ "x-name": "y" });
    expect((await RecordingXMLHttpRequest.made.next()).withCredentials).toBe(true);
    transport.close();
  });

  it("takes no status but 200 for success", async () => {
    useXMLHttpRequest(SmallXMLHttpRequest);
    const origin = await listen(createServer((_req, res) => void res.writeHead(201).end("6")));
    const { hostname, port } = new URL(origin);
    const transport = new XHR({ hostname, port, path: "/" });
    const errors = eventInbox<TransportError>(transport, "error");
    transport.open();
    expect(await errors.next()).toMatchObject({ description: 201 });
  });

  it("says nothing of requests that break off while the page is being left", async () => {
    useXMLHttpRequest(SmallXMLHttpRequest);
    const page = new EventTarget();
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    vi.resetModules();
    const { XHR: PageXHR } = await import("./xhr.js");
    const failing = async (): Promise<number> => {
      const transport = new PageXHR({ hostname: "127.0.0.1", port: 1, path: "/" });
      const errors = eventInbox<TransportError>(transport, "error");
      transport.open();
      await expect.poll(() => transport._requests.size).toBe(0);
      // The timer of the error is older than this one.
      await new Promise((resolve) => setTimeout(resolve, 1));
      return errors.size;
    };
    page.dispatchEvent(new Event("pagehide"));
    expect(await failing()).toBe(0);
    page.dispatchEvent(new Event("pageshow"));
    expect(await failing()).toBe(1);
  });
});
