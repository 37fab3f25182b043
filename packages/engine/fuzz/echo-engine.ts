import { Engine, type EngineOptions, type Session } from "@plugboard/engine";
import { MemoryRequest } from "@plugboard/testkit";
import { turn } from "@plugboard/testkit/fuzz";

/** Why a session may end (spec/server.md 1.12). */
const REASONS: ReadonlySet<string> = new Set([
  "transport close",
  "transport error",
  "ping timeout",
  "parse error",
  "forced close",
]);

const POLLING_URL = "/engine.io/?EIO=4&transport=polling";

/** One session under attack, as its listeners see it. */
export interface WatchedSession {
  readonly session: Session;
  readonly messages: Array<string | Uint8Array>;
  reason: string;
}

/**
 * An engine that echoes messages, with a polling session that has nothing to do with the attacks on the others: it has to
 * go on working, and nothing of the others may be left.
 */
export class EchoEngine {
  readonly engine: Engine;
  /** The session opened last. */
  last: WatchedSession | undefined = undefined;
  #bystanderUrl = "";
  #count = 0;

  private constructor(options: EngineOptions) {
    this.engine = new Engine({ maxHandshakesPerSecond: Infinity, pingInterval: 1e8, ...options });
    this.engine.on("connection", (session: Session) => this.#watch(session));
    this.engine.on("connection_error", () => {});
  }

  static async open(options: EngineOptions = {}): Promise<EchoEngine> {
    const echo = new EchoEngine(options);
    const sid = await echo.openPolling();
    echo.#bystanderUrl = `${POLLING_URL}&sid=${sid}`;
    return echo;
  }

  #watch(session: Session): void {
    const watched: WatchedSession = { session, messages: [], reason: "open" };
    this.last = watched;
    session.on("message", (data: string | Uint8Array) => {
      watched.messages.push(data);
      session.send(data);
    });
    session.on("close", (reason: string) => (watched.reason = reason));
  }

  /** @returns the id of a new session */
  async openPolling(parameters = ""): Promise<string> {
    const answer = await this.engine.handle(new MemoryRequest(POLLING_URL + parameters));
    answer.done();
    const sid = /"sid\\?":\\?"([^"\\]+)/.exec(String(answer.body))?.[1];
    if (answer.status !== 200 || sid === undefined) throw new Error(`no handshake: ${String(answer.body)}`);
    return sid;
  }

  /** @throws when the reason of a close is none of the table */
  reasonOf({ reason }: WatchedSession): string {
    if (reason !== "open" && !REASONS.has(reason)) throw new Error(`closed for no declared reason: ${reason}`);
    return reason;
  }

  async checkOthers(): Promise<void> {
    const text = `probe ${this.#count++}`;
    const request = { method: "POST", body: `4${text}` };
    const posted = await this.engine.handle(new MemoryRequest(this.#bystanderUrl, request));
    posted.done();
    const polled = await this.engine.handle(new MemoryRequest(this.#bystanderUrl));
    polled.done();
    if (posted.body !== "ok" || polled.body !== `4${text}`) throw new Error(`no echo: ${String(polled.body)}`);
    const left = this.engine.clientsCount;
    if (left !== 1 || Object.keys(this.engine.clients).length !== 1) throw new Error(`${left - 1} sessions are left`);
  }

  async close(): Promise<void> {
    this.engine.close();
    await turn();
  }
}
