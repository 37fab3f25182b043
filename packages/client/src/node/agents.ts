import * as http from "node:http";
import * as https from "node:https";

/** Shorter than the 5 s after which servers on Node give up an idle connection: who is first cannot be surprised. */
const KEPT_IDLE_MS = 4000;

/**
 * Keeps the connections of one session: a poll follows on a poll. Never those of several, for when a session is lost the
 * network may have lost its connections too, without a word. Idle ones do not hold the process.
 */
export class Agents {
  #http: http.Agent | undefined = undefined;
  #https: https.Agent | undefined = undefined;

  for(protocol: string): http.Agent {
    const options = { keepAlive: true, timeout: KEPT_IDLE_MS };
    if (protocol === "https:") return (this.#https ??= new https.Agent(options));
    return (this.#http ??= new http.Agent(options));
  }
}
