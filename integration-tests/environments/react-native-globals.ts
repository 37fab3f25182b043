import { Agent, type ClientRequest, request as httpRequest } from "node:http";
import { WebSocket as NodeSocket, type RawData } from "ws";
import { bytesOf, type ToArrayBuffer } from "./bare-host.js";

/** The methods and events of the standard that matter to a client, over the HTTP client of Node. */
class XMLHttpRequest {
  /** Connections are kept, as the network stacks of phones do. */
  static readonly agent = new Agent({ keepAlive: true });

  readyState = 0;
  status = 0;
  responseText = "";
  timeout = 0;
  withCredentials = false;
  onreadystatechange: (() => void) | null = null;
  readonly #headers: Record<string, string> = {};
  #method = "GET";
  #url = "";
  #request: ClientRequest | undefined;

  open(method: string, url: string): void {
    this.#method = method;
    this.#url = url;
    this.#change(1);
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers[name] = value;
  }

  send(body: string | null): void {
    const { agent } = XMLHttpRequest;
    const request = httpRequest(this.#url, { method: this.#method, headers: this.#headers, agent });
    this.#request = request;
    request.on("error", () => this.#fail());
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("error", () => this.#fail());
      response.on("end", () => {
        if (this.readyState === 4) return;
        this.status = response.statusCode ?? 0;
        this.responseText = text;
        this.#change(4);
      });
    });
    request.end(body ?? undefined);
  }

  abort(): void {
    this.#request?.destroy();
    this.#fail();
  }

  #fail(): void {
    if (this.readyState === 4) return;
    this.status = 0;
    this.#change(4);
  }

  #change(state: number): void {
    this.readyState = state;
    this.onreadystatechange?.();
  }
}

/** React Native's, which takes headers as a third argument. */
function webSocketClass(toArrayBuffer: ToArrayBuffer): unknown {
  return class WebSocket {
    binaryType = "";
    onopen: (() => void) | null = null;
    onmessage: ((event: { data: unknown }) => void) | null = null;
    onerror: ((event: { message: string }) => void) | null = null;
    onclose: ((event: { code: number; reason: string }) => void) | null = null;
    readonly #socket: NodeSocket;

    constructor(url: string, protocols?: string | string[] | null, options?: { headers?: Record<string, string> }) {
      this.#socket = new NodeSocket(url, protocols ?? [], { headers: options?.headers ?? {} });
      this.#socket.on("open", () => this.onopen?.());
      this.#socket.on("message", (data: RawData, isBinary: boolean) => {
        const bytes = data as Buffer;
        this.onmessage?.({ data: isBinary ? toArrayBuffer(bytes) : bytes.toString() });
      });
      this.#socket.on("error", ({ message }) => this.onerror?.({ message }));
      this.#socket.on("close", (code, reason) => this.onclose?.({ code, reason: reason.toString() }));
    }

    send(data: string | ArrayBuffer | Uint8Array): void {
      this.#socket.send(typeof data === "string" ? data : bytesOf(data));
    }

    close(): void {
      this.#socket.close();
    }
  };
}

/**
 * What React Native has of the globals of a browser, as far as a client uses it: no `window`, no `document`, no `location`,
 * no `TextEncoder`, no `queueMicrotask`. `atob` and `btoa` are there since 0.74.
 */
export function reactNativeGlobals(toArrayBuffer: ToArrayBuffer): Record<string, unknown> {
  return {
    navigator: { product: "ReactNative" },
    XMLHttpRequest,
    WebSocket: webSocketClass(toArrayBuffer),
    fetch,
    Headers,
    AbortController,
    atob,
    btoa,
  };
}
