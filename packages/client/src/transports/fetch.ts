import { Polling } from "./polling.js";

/** What requests consist of. */
export interface FetchInit extends RequestInit {
  readonly headers: Headers;
}

/** Polling over `fetch` (spec/client.md 2.10), also where there is no `XMLHttpRequest`; any successful status will do. */
export class Fetch extends Polling {
  async doRequest(onLoad: (text: string) => void, body?: string): Promise<void> {
    const { extraHeaders, requestTimeout, withCredentials } = this.opts;
    const request = new AbortController();
    this._requests.add(request);
    const stopTimer = requestTimeout && this._startTimer(() => request.abort(), requestTimeout);
    let text: string | undefined;
    let description: unknown;
    let response: Response | undefined;
    try {
      const headers = new Headers(extraHeaders);
      if (body) headers.set("content-type", "text/plain;charset=UTF-8");
      response = await this.fetch(this.uri(), {
        method: body ? "POST" : "GET",
        body: body ?? null,
        headers,
        credentials: withCredentials ? "include" : "same-origin",
        signal: request.signal,
      });
      if (response.ok) text = await response.text();
      else description = response.status;
    } catch (error) {
      description = error;
      response = undefined;
    }
    if (stopTimer) stopTimer();
    this._requests.delete(request);
    // Out of the `try`: what a listener throws is no failure of the request.
    if (text === undefined) this.onError(`fetch ${body ? "write" : "read"} error`, description, response);
    else onLoad(text);
  }

  fetch(uri: string, init: FetchInit): Promise<Response> {
    return fetch(uri, init);
  }
}
