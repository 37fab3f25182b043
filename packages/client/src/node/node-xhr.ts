import { Polling } from "../transports/polling.js";
import { Agents } from "./agents.js";
import { connectionOptions } from "./connection-options.js";
import { jarOf } from "./cookie-jar.js";
import { HttpExchange } from "./http-exchange.js";

/**
 * Polling over Node's own `http` and `https` (spec/client.md 2.10), with all their freedom: any header, agents, client
 * certificates. Only status 200 is success.
 */
export class NodeXHR extends Polling {
  readonly _agents: Agents = new Agents();

  doRequest(onLoad: (text: string) => void, body?: string): void {
    const { autoUnref = false, extraHeaders = {}, requestTimeout } = this.opts;
    const request = new HttpExchange(
      {
        uri: this.uri(),
        body,
        headers: extraHeaders,
        jar: jarOf(this),
        connection: connectionOptions(this.opts),
        agents: this._agents,
        autoUnref,
      },
      (response) => {
        this._requests.delete(request);
        stopTimer?.();
        if (response.status === 200) onLoad(response.responseText);
        else this.onError(`xhr ${body === undefined ? "poll" : "post"} error`, response.status, response);
      },
    );
    this._requests.add(request);
    const stopTimer = requestTimeout
      ? this._startTimer(() => request.abort(new Error("timeout")), requestTimeout, autoUnref)
      : undefined;
  }
}
