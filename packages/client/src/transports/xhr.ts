import { Polling } from "./polling.js";

/** Whether the page is being left: requests that the browser breaks off then are no failures. */
let leaving = false;

globalThis.addEventListener?.("pagehide", () => {
  leaving = true;
});
// Back from the cache of pages.
globalThis.addEventListener?.("pageshow", () => {
  leaving = false;
});

/** Polling over `XMLHttpRequest` (spec/client.md 2.10); only status 200 is success. */
export class XHR extends Polling {
  doRequest(onLoad: (text: string) => void, body?: string): void {
    const { extraHeaders, requestTimeout = 0, withCredentials = false } = this.opts;
    let xhr: XMLHttpRequest | undefined;
    const fail = (description: unknown): void => {
      this._startTimer(() => {
        if (!leaving) this.onError(`xhr ${body ? "post" : "poll"} error`, description, xhr);
      }, 0);
    };
    try {
      // Missing in service workers.
      const request = (xhr = new XMLHttpRequest());
      request.open(body ? "POST" : "GET", this.uri(), true);
      const type = body && { "Content-type": "text/plain;charset=UTF-8" };
      for (const [name, value] of Object.entries({ Accept: "*/*", ...type, ...extraHeaders })) {
        try {
          request.setRequestHeader(name, value);
        } catch {
          // Not for scripts to set: the request goes without.
        }
      }
      request.withCredentials = withCredentials;
      request.timeout = requestTimeout;
      request.onreadystatechange = () => {
        if (request.readyState !== 4) return;
        this._requests.delete(request);
        if (request.status === 200) onLoad(request.responseText);
        else fail(request.status);
      };
      this._requests.add(request);
      request.send(body ?? null);
    } catch (error) {
      fail(error);
    }
  }
}
