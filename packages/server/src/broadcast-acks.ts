import { createDebug } from "@plugboard/engine/internal";
import type { Packet } from "@plugboard/protocol";
import type { Adapter, BroadcastOptions } from "./adapter-contract.js";
import { ackTimeoutError } from "./ack-table.js";
import type { Callback, NamespacePart } from "./parts.js";

const debug = createDebug("socket.io:broadcast-operator");

export interface BroadcastAckRequest {
  readonly packet: Packet;
  readonly options: BroadcastOptions;
  /** Milliseconds. Undefined counts as none at all, as in the reference: ask for acks with `timeout()`. */
  readonly timeoutMs: number | undefined;
  /** The user's callback: `(error, responses)`. */
  readonly ack: Callback;
  /** Hand over the one response instead of a list. */
  readonly single: boolean;
}

/**
 * Broadcasts a packet and gathers what the clients answer (spec/server.md 3.8): over when each server has told how many
 * clients it reached and as many have answered, or when the time is up. Of each answer only the first value counts.
 */
export function broadcastWithAcks(adapter: Adapter, request: BroadcastAckRequest): void {
  const answers = new GatheredAnswers(adapter.nsp as NamespacePart, request);
  try {
    adapter.broadcastWithAck(
      request.packet,
      request.options,
      (count) => answers.expectClients(count),
      (response) => answers.add(response),
    );
  } catch (error) {
    // Not encodable: the caller gets to know, and nobody waits for answers.
    answers.cancel();
    throw error;
  }
  adapter.serverCount().then(
    (count) => answers.expectServers(count),
    (error: unknown) => answers.fail(error instanceof Error ? error : new Error(String(error))),
  );
}

class GatheredAnswers {
  readonly #namespace: NamespacePart;
  readonly #request: BroadcastAckRequest;
  readonly #event: unknown;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #responses: unknown[] = [];
  #clientCount = 0;
  #serversHeard = 0;
  #serverCount = -1;
  #over = false;

  constructor(namespace: NamespacePart, request: BroadcastAckRequest) {
    this.#namespace = namespace;
    this.#request = request;
    this.#event = (request.packet.data as unknown[])[0];
    this.#timer = setTimeout(() => this.fail(ackTimeoutError()), request.timeoutMs);
    // As for a single socket: it must not keep the process of a closed server alive.
    this.#timer.unref();
  }

  /** One server has reached that many clients. */
  expectClients(count: number): void {
    this.#clientCount += count;
    this.#serversHeard++;
    this.#finishIfComplete();
  }

  expectServers(count: number): void {
    this.#serverCount = count;
    this.#finishIfComplete();
  }

  add(response: unknown): void {
    if (this.#over) return;
    this.#responses.push(response);
    this.#finishIfComplete();
  }

  fail(error: Error): void {
    if (this.#over) return;
    debug("%d of %d clients have answered: %s", this.#responses.length, this.#clientCount, error.message);
    const { id } = this.#request.packet;
    if (id !== undefined) for (const socket of this.#namespace.sockets.values()) socket._dropAck(id);
    this.#finish(error, null);
  }

  cancel(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #finishIfComplete(): void {
    if (this.#over || this.#serversHeard !== this.#serverCount) return;
    if (this.#responses.length === this.#clientCount) this.#finish(null, this.#responses[0]);
  }

  #finish(error: Error | null, single: unknown): void {
    this.cancel();
    const answer = this.#request.single ? single : this.#responses;
    this.#namespace.server._guard.call(this.#request.ack, undefined, [this.#event, error, answer]);
  }
}
