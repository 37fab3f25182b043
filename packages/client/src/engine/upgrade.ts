import type { EnginePacket } from "@plugboard/protocol";
import { type Emitter, subscribe } from "../emitter.js";
import type { StartTimer } from "../timers.js";
import type { Transport } from "../transports/transport.js";

/** What a probe needs of the engine it works for. */
interface ProbingEngine extends Emitter {
  readonly transport: Transport;
  readonly _startTimer: StartTimer;
  upgrading: boolean | undefined;
  _takeOver(transport: Transport): void;
  _flush(): void;
}

/** How long others wait for webtransport to come first, in milliseconds (spec/client.md 2.7). */
const WEBTRANSPORT_HEAD_START_MS = 200;

/**
 * Tries a better transport beside the one in use, and changes over to it when it answers (spec/client.md 2.7). A failure
 * is told by `upgradeError` and changes nothing else.
 * @param headStart - whether webtransport is tried as well
 */
export function probe(engine: ProbingEngine, transport: Transport, headStart: boolean): void {
  let over = false;
  let pausing = false;

  const end = (): void => {
    over = true;
    transport.off();
    unsubscribe();
  };
  const giveUp = (): void => {
    end();
    transport.close();
    // The one in use was asked to pause for this one: it has to go on.
    if (pausing) {
      engine.upgrading = false;
      engine.transport._resume();
    }
  };
  const fail = (why: unknown): void => {
    giveUp();
    const error = new Error(why ? "probe error: " + why : "probe error");
    engine.emitReserved("upgradeError", Object.assign(error, { transport: transport.name }));
    engine._flush();
  };
  const changeOver = (): void => {
    if (over) return;
    end();
    engine._takeOver(transport);
    transport.send([{ type: "upgrade" }]);
    engine.upgrading = false;
    engine.emitReserved("upgrade", transport);
    engine._flush();
  };

  const unsubscribe = subscribe(engine, {
    close: () => fail("socket closed"),
    upgrading: (other) => {
      if (other !== transport) giveUp();
    },
  });
  subscribe(transport, {
    open: () => transport.send([{ type: "ping", data: "probe" }]),
    packet: ({ type, data }: EnginePacket) => {
      if (pausing) return;
      if (type !== "pong" || data !== "probe") return fail("");
      engine.upgrading = pausing = true;
      engine.emitReserved("upgrading", transport);
      engine.transport.pause(changeOver);
    },
    error: fail,
    close: () => fail("transport closed"),
  });

  const open = (): void => {
    if (!over) transport.open();
  };
  if (headStart && transport.name !== "webtransport") engine._startTimer(open, WEBTRANSPORT_HEAD_START_MS);
  else open();
}
