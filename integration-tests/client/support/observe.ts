import type { EngineSession } from "../../support/raw-session.js";
import type { Listenable } from "../../support/next-event.js";
import type { ListeningServer } from "../../support/listening-server.js";

/** Comes back at once, and always after the same time. */
export const impatient = { reconnectionDelay: 10, randomizationFactor: 0 } as const;

/** Every later `event` of an emitter: the arguments of each. */
export function recorded<Args extends unknown[] = unknown[]>(emitter: object, event: string): Args[] {
  const seen: Args[] = [];
  const { on } = emitter as Listenable;
  on.call(emitter, event, (...args: unknown[]) => seen.push(args as Args));
  return seen;
}

/** Names of the given events, in the order in which they happen from now on. */
export function recordedNames(emitter: object, ...events: string[]): string[] {
  const seen: string[] = [];
  const { on } = emitter as Listenable;
  for (const event of events) on.call(emitter, event, () => seen.push(event));
  return seen;
}

/** What the server reads of every connection from now on: the text of each message. */
export function messagesAtServer({ io }: ListeningServer): unknown[] {
  const seen: unknown[] = [];
  io.engine.on("connection", (connection: EngineSession) => {
    connection.on("packet", (packet: { type: string; data?: unknown }) => {
      if (packet.type === "message") seen.push(packet.data);
    });
  });
  return seen;
}

/** Lets everything happen that is due already: answers that came, callbacks, timers of no time. */
export async function turns(count = 3): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
