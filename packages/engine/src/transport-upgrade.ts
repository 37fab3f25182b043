import type { EnginePacket } from "@plugboard/protocol";
import { createDebug } from "./debug.js";
import type { HeaderFields } from "./http-port.js";
import { UPGRADE_TABLE, type ReadyState, type UpgradeEvent, type UpgradeState } from "./session-states.js";
import { DEAF_EVENTS, type Transport } from "./transports/transport.js";

const debug = createDebug("engine:socket");

const PROBE = "probe";

/** What an upgrade needs of its session. */
export interface UpgradingSession {
  readonly id: string;
  readonly readyState: ReadyState;
  onHeaders(headers: HeaderFields, request: unknown): void;
  /** The candidate works: what is pending on the transport in use has to be released. */
  onProbe(candidate: Transport): void;
  /** The client has moved to the candidate. */
  onUpgrade(candidate: Transport): void;
}

/**
 * The move of a session from one transport to another (spec/server.md 1.10): a candidate is tried, and either taken or
 * given up, which leaves the session where it was.
 */
export class TransportUpgrade {
  readonly #session: UpgradingSession;
  #state: UpgradeState = "none";
  #candidate: Transport | undefined = undefined;
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;

  constructor(session: UpgradingSession) {
    this.#session = session;
  }

  get state(): UpgradeState {
    return this.#state;
  }

  /** Tries a transport, whose first packets decide. The caller has checked that none is tried and none was taken. */
  begin(candidate: Transport, timeoutMs: number): void {
    debug("%s: tries %s", this.#session.id, candidate.name);
    this.#advance("candidate");
    this.#candidate = candidate;
    this.#timer = setTimeout(() => this.giveUp("it took too long"), timeoutMs);
    candidate.events = {
      onPacket: (packet) => this.#onPacket(candidate, packet),
      onReady() {},
      onError: (message) => this.giveUp(message),
      onClose: () => this.giveUp("it was closed"),
      onHeaders: (headers, request) => this.#session.onHeaders(headers, request),
    };
  }

  #onPacket(candidate: Transport, { type, data }: EnginePacket): void {
    if (type === "ping" && data === PROBE && this.#advance("probe")) {
      candidate.send([{ type: "pong", data: PROBE, options: {} }]);
      this.#session.onProbe(candidate);
    } else if (type === "upgrade" && this.#session.readyState !== "closed") {
      this.#forget("upgraded");
      this.#session.onUpgrade(candidate);
    } else {
      this.giveUp("it has sent something else");
    }
  }

  /** Closes the candidate, if there is one. */
  giveUp(why: string): void {
    const candidate = this.#candidate;
    if (candidate === undefined) return;
    debug("%s: gives up %s, because %s", this.#session.id, candidate.name, why);
    this.#forget("failed");
    candidate.events = DEAF_EVENTS;
    // Nobody waits for what it still has to say.
    candidate.close("now");
  }

  #forget(event: UpgradeEvent): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#candidate = undefined;
    this.#advance(event);
  }

  #advance(event: UpgradeEvent): boolean {
    const next = UPGRADE_TABLE[this.#state][event];
    if (next !== undefined) this.#state = next;
    return next !== undefined;
  }
}
