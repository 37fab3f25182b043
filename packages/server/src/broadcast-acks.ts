import type { Packet } from "@plugboard/protocol";
import type { Adapter, BroadcastOptions } from "./adapter-contract.js";
import { ackTimeoutError } from "./ack-table.js";
import type { Callback, NamespacePart } from "./parts.js";

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
  const { packet, options, timeoutMs, ack, single } = request;
  const namespace = adapter.nsp as NamespacePart;
  const [event] = packet.data as unknown[];
  const responses: unknown[] = [];
  let serverCount = -1;
  let serversHeard = 0;
  let clientCount = 0;
  let over = false;

  const finish = (error: Error | null): void => {
    over = true;
    clearTimeout(timer);
    const answer = single ? (error === null ? responses[0] : null) : responses;
    namespace.server._guard.call(ack, undefined, [event, error, answer]);
  };
  const finishIfComplete = (): void => {
    if (!over && serversHeard === serverCount && responses.length === clientCount) finish(null);
  };
  const timer = setTimeout(() => {
    if (over) return;
    forgetAcks(namespace, packet.id);
    finish(ackTimeoutError());
  }, timeoutMs);

  try {
    adapter.broadcastWithAck(
      packet,
      options,
      (count) => {
        clientCount += count;
        serversHeard++;
        finishIfComplete();
      },
      (response) => {
        if (over) return;
        responses.push(response);
        finishIfComplete();
      },
    );
  } catch (error) {
    // Not encodable: the caller gets to know, and nobody waits for answers.
    over = true;
    clearTimeout(timer);
    throw error;
  }
  adapter.serverCount().then(
    (count) => {
      serverCount = count;
      finishIfComplete();
    },
    (error: unknown) => {
      if (!over) finish(error instanceof Error ? error : new Error(String(error)));
    },
  );
}

function forgetAcks(namespace: NamespacePart, id: number | undefined): void {
  if (id === undefined) return;
  for (const socket of namespace.sockets.values()) socket._dropAck(id);
}
