/** An HTTP client that polls by hand. */
export class RawPollingPeer {
  readonly #url: string;
  sid = "";

  /** @param url - base URL of the engine, such as `http://127.0.0.1:1234/engine.io/` */
  constructor(url: string) {
    this.#url = url;
  }

  /** URL of a request, with the session id once there is one. */
  url(query: Readonly<Record<string, string>> = {}): string {
    const sid = this.sid === "" ? {} : { sid: this.sid };
    const search = new URLSearchParams({ EIO: "4", transport: "polling", ...sid, ...query });
    return `${this.#url}?${search.toString()}`;
  }

  /** Opens a session and returns what the server says about it. */
  async open(query: Readonly<Record<string, string>> = {}): Promise<Record<string, unknown> & { sid: string }> {
    const body = await (await fetch(this.url(query))).text();
    const handshake = JSON.parse(body.split("\x1e")[0]?.slice(1) ?? "") as { sid: string };
    this.sid = handshake.sid;
    return handshake;
  }

  async poll(init?: RequestInit): Promise<{ status: number; body: string; headers: Headers }> {
    const response = await fetch(this.url(), init);
    return { status: response.status, body: await response.text(), headers: response.headers };
  }

  async post(body: string | Uint8Array<ArrayBuffer>, init?: RequestInit): Promise<{ status: number; body: string }> {
    const response = await fetch(this.url(), { method: "POST", body, ...init });
    return { status: response.status, body: await response.text() };
  }
}
