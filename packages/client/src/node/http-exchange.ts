import * as http from "node:http";
import * as https from "node:https";
import { nextTick } from "../timers.js";
import type { Agents } from "./agents.js";
import { type NodeCookieJar, withCookies } from "./cookie-jar.js";

/** What became of a request, in the shape of an `XMLHttpRequest` that is done. */
export interface NodeResponse {
  readonly readyState: 4;
  /** 0 when there was no answer. */
  readonly status: number;
  /** What went wrong, when there was no answer. */
  readonly statusText: string | Error;
  readonly responseText: string;
  getResponseHeader(name: string): string | null;
}

/** A request and how to send it. */
export interface HttpTask {
  readonly uri: string;
  /** Sent by POST; without one it is a GET. */
  readonly body: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly jar: NodeCookieJar | undefined;
  /** Agent, TLS and addresses, in the words of `http.request`. */
  readonly connection: Readonly<Record<string, unknown>>;
  /** Where there is no agent among them. */
  readonly agents: Agents;
  /** Whether the process may end meanwhile. */
  readonly autoUnref: boolean;
}

const MAX_REDIRECTS = 5;
/** As much as `ws` takes in one message; far beyond that a text can be no longer. */
const MAX_CHARACTERS = 100 * 1024 * 1024;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const SEE_OTHER = 303;

/** Headers and options that are not for a server the user did not name. */
const PRIVATE = new Set(["authorization", "cookie", "host", "proxy-authorization", "cert", "key", "passphrase", "pfx"]);

function withoutPrivate<Value>(fields: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !PRIVATE.has(name.toLowerCase())));
}

/** Sends a request and follows redirects, up to five. Texts are UTF-8, of any length. */
export class HttpExchange {
  readonly #task: HttpTask;
  readonly #onDone: (response: NodeResponse) => void;
  #request: http.ClientRequest | undefined = undefined;
  #home = "";
  #abortReason: Error | undefined = undefined;
  #over = false;

  /** @param onDone - called once, and never at once */
  constructor(task: HttpTask, onDone: (response: NodeResponse) => void) {
    this.#task = task;
    this.#onDone = onDone;
    this.#send(task.uri, undefined, task.body, MAX_REDIRECTS);
  }

  /** Calls it off: it fails with this reason. */
  abort(reason: Error = new Error("aborted")): void {
    this.#abortReason = reason;
    this.#failSoon(reason);
    this.#request?.destroy();
  }

  #send(location: string, base: URL | undefined, body: string | undefined, redirects: number): void {
    try {
      const url = new URL(location, base);
      if (base === undefined) this.#home = url.origin;
      const request = this.#start(url, body);
      this.#request = request;
      // Never sent again: the server may have had it, and what it carried, or what was the answer, would come twice or never.
      request.on("error", (error) => this.#finish(0, this.#abortReason ?? error));
      // Without a listener the request would never end.
      request.on("upgrade", (_response, socket) => {
        socket.destroy();
        this.#finish(0, new Error("unexpected upgrade"));
      });
      request.on("response", (response) => {
        const { headers, statusCode = 0 } = response;
        if (this.#isHome(url)) this.#task.jar?.store(headers["set-cookie"] ?? []);
        if (headers.location === undefined || redirects === 0 || !REDIRECTS.has(statusCode)) {
          this.#receive(response);
          return;
        }
        response.resume();
        this.#send(headers.location, url, statusCode === SEE_OTHER ? undefined : body, redirects - 1);
      });
      request.end(body);
    } catch (error) {
      this.#failSoon(error as Error);
    }
  }

  #start(url: URL, body: string | undefined): http.ClientRequest {
    const { autoUnref, headers, jar } = this.#task;
    const isHome = this.#isHome(url);
    const connection = isHome ? this.#task.connection : withoutPrivate(this.#task.connection);
    const isSecure = url.protocol === "https:";
    const request = (isSecure ? https : http).request(url, {
      agent: this.#task.agents.for(url.protocol),
      ...connection,
      method: body === undefined ? "GET" : "POST",
      headers: {
        "User-Agent": "node-XMLHttpRequest",
        Accept: "*/*",
        ...(isHome ? withCookies(headers, jar?.header()) : withoutPrivate(headers)),
        ...(body !== undefined && {
          "Content-Type": "text/plain;charset=UTF-8",
          "Content-Length": Buffer.byteLength(body),
        }),
      } as http.OutgoingHttpHeaders,
    });
    if (autoUnref) request.on("socket", (socket) => socket.unref());
    return request;
  }

  #receive(response: http.IncomingMessage): void {
    const { headers, statusCode = 0, statusMessage = "" } = response;
    let text = "";
    response
      .setEncoding("utf8")
      .on("data", (chunk: string) => {
        text += chunk;
        if (text.length > MAX_CHARACTERS) this.abort(new Error("the answer is too long"));
      })
      // A tick later the connection is free for the request that follows.
      .on("end", () => nextTick(() => this.#finish(statusCode, statusMessage, text, headers)))
      .on("error", (error) => this.#finish(0, error));
  }

  #isHome(url: URL): boolean {
    return url.origin === this.#home;
  }

  #failSoon(error: Error): void {
    nextTick(() => this.#finish(0, error));
  }

  #finish(status: number, statusText: string | Error, responseText = "", headers: http.IncomingHttpHeaders = {}): void {
    if (this.#over) return;
    this.#over = true;
    this.#onDone({
      readyState: 4,
      status,
      statusText,
      responseText,
      getResponseHeader: (name) => headers[name.toLowerCase()]?.toString() ?? null,
    });
  }
}
