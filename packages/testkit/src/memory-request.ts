import { BodyError, parseQuery, type HttpRequestLike, type Query } from "@plugboard/engine";

export interface MemoryRequestInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly isEncrypted?: boolean;
  /** Leaves the body unfinished until `finishBody` or `goAway`. */
  readonly isSlow?: boolean;
}

/** An HTTP request without a network. */
export class MemoryRequest implements HttpRequestLike {
  readonly method: string;
  readonly url: string;
  readonly query: Query;
  readonly raw: unknown = this;
  readonly remoteAddress = "memory";
  readonly isEncrypted: boolean;
  isAborted = false;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #body: Promise<Uint8Array>;
  readonly #abortListeners: Array<() => void> = [];
  #finishBody: () => void = () => {};
  #breakBody: () => void = () => {};

  constructor(url: string, init: MemoryRequestInit = {}) {
    this.method = init.method ?? "GET";
    this.url = url;
    this.query = parseQuery(url);
    this.isEncrypted = init.isEncrypted ?? false;
    this.#headers = init.headers ?? {};
    const bytes = typeof init.body === "string" ? new TextEncoder().encode(init.body) : (init.body ?? new Uint8Array());
    this.#body = new Promise((resolve, reject) => {
      this.#finishBody = () => resolve(bytes);
      this.#breakBody = () => reject(new BodyError("EIO_BODY_ABORTED"));
    });
    this.#body.catch(() => {});
    if (!init.isSlow) this.#finishBody();
  }

  header(name: string): string | undefined {
    return this.#headers[name];
  }

  async readBody(maxBytes: number): Promise<Uint8Array> {
    const bytes = await this.#body;
    if (bytes.length > maxBytes) throw new BodyError("EIO_BODY_TOO_LARGE");
    return bytes;
  }

  onAbort(listener: () => void): void {
    this.#abortListeners.push(listener);
  }

  finishBody(): void {
    this.#finishBody();
  }

  /** The client disappears. */
  goAway(): void {
    this.#breakBody();
    for (const listener of this.#abortListeners.splice(0)) listener();
  }

  /** The server drops the connection. */
  abort(): void {
    this.isAborted = true;
    this.#breakBody();
  }
}
