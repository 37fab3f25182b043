/*
 * The states of a session. Each table gives, for a state and an event, the next state; a pair that is not there is
 * refused, and the event has no effect. Nothing else changes these states.
 *
 *   ready state   opening --handshake--> open --closeRequested--> closing
 *                    '------- ended ------'--------- ended ----------'--> closed
 *
 *   upgrade       none --candidate--> candidate --probe--> probing
 *                  '<----- failed -------'<---- failed -----'
 *                                        '---- upgraded ----'--> upgraded
 *
 *   heartbeat     quiet --pingSent--> awaitingPong --traffic--> extended (once per ping)
 *                   '<----- pong ---------'<-------- pong ---------'
 */

export type ReadyState = "opening" | "open" | "closing" | "closed";
export type ReadyEvent = "handshake" | "closeRequested" | "ended";

export const READY_TABLE: Readonly<Record<ReadyState, Readonly<Partial<Record<ReadyEvent, ReadyState>>>>> = {
  opening: { handshake: "open", ended: "closed" },
  open: { closeRequested: "closing", ended: "closed" },
  closing: { ended: "closed" },
  closed: {},
};

export type UpgradeState = "none" | "candidate" | "probing" | "upgraded";
export type UpgradeEvent = "candidate" | "probe" | "upgraded" | "failed";

export const UPGRADE_TABLE: Readonly<Record<UpgradeState, Readonly<Partial<Record<UpgradeEvent, UpgradeState>>>>> = {
  none: { candidate: "candidate" },
  // An upgrade packet without a probe before it is accepted (spec/server.md 1.10, 5).
  candidate: { probe: "probing", upgraded: "upgraded", failed: "none" },
  probing: { upgraded: "upgraded", failed: "none" },
  upgraded: {},
};

export type HeartbeatState = "quiet" | "awaitingPong" | "extended";
export type HeartbeatEvent = "pingSent" | "pong" | "traffic";

export const HEARTBEAT_TABLE: Readonly<
  Record<HeartbeatState, Readonly<Partial<Record<HeartbeatEvent, HeartbeatState>>>>
> = {
  quiet: { pingSent: "awaitingPong" },
  // The first packet that is not the pong shows that the peer lives, and extends the deadline once (spec/server.md 1.11).
  awaitingPong: { pong: "quiet", traffic: "extended" },
  extended: { pong: "quiet" },
};
