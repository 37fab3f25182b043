import { describe, expect, it } from "vitest";
import { HEARTBEAT_TABLE, READY_TABLE, UPGRADE_TABLE } from "./session-states.js";

type Table = Readonly<Record<string, Readonly<Record<string, string | undefined>>>>;

function describeTable(
  name: string,
  table: Table,
  events: readonly string[],
  expected: Readonly<Record<string, string>>,
) {
  describe(name, () => {
    for (const state of Object.keys(table)) {
      for (const event of events) {
        const next = expected[`${state} ${event}`];
        const outcome = next === undefined ? "is refused" : `leads to ${next}`;
        it(`${event} in state ${state} ${outcome}`, () => {
          expect(table[state]?.[event]).toBe(next);
        });
      }
    }
  });
}

describeTable("the ready state of a session", READY_TABLE, ["handshake", "closeRequested", "ended"], {
  "opening handshake": "open",
  "opening ended": "closed",
  "open closeRequested": "closing",
  "open ended": "closed",
  "closing ended": "closed",
});

describeTable("the upgrade of a session", UPGRADE_TABLE, ["candidate", "probe", "upgraded", "failed"], {
  "none candidate": "candidate",
  "candidate probe": "probing",
  "candidate upgraded": "upgraded",
  "candidate failed": "none",
  "probing upgraded": "upgraded",
  "probing failed": "none",
});

describeTable("the heartbeat of a session", HEARTBEAT_TABLE, ["pingSent", "pong", "traffic"], {
  "quiet pingSent": "awaitingPong",
  "awaitingPong pong": "quiet",
  "awaitingPong traffic": "extended",
  "extended pong": "quiet",
});
