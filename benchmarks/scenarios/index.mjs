import { ACK_SCENARIOS } from "./ack.mjs";
import { BROADCAST_SCENARIOS } from "./broadcast.mjs";
import { CLIENT_SCENARIOS } from "./client.mjs";
import { IDLE_MEMORY_SCENARIO } from "./idle-memory.mjs";

/**
 * @typedef {object} Scenario
 * @property {string} name for `--scenario`
 * @property {string} title
 * @property {"server" | "client" | "handlers"} side of the connection that is measured; `handlers`: ways to handle events
 * @property {string} unit of `value` in its samples; less is better in all of them
 * @property {number} [goalRatio] of the reference's value: what we want to be below
 * @property {(context: import("../run-scenario.mjs").ScenarioContext & import("./client.mjs").ClientContext) => Promise<{ value: number }>} run
 */

/** At most half of the reference's cost is the standing goal of every row of the server. */
const SERVER_GOAL_RATIO = 0.5;

/** What a handler under a contract may cost, of what a plain listener does. */
const HANDLERS_GOAL_RATIO = 1.3;

const SERVER_SCENARIOS = [...ACK_SCENARIOS, ...BROADCAST_SCENARIOS, IDLE_MEMORY_SCENARIO];

/** @type {Scenario[]} */
export const SCENARIOS = [
  ...SERVER_SCENARIOS.map((scenario) => ({ ...scenario, side: "server", goalRatio: SERVER_GOAL_RATIO })),
  ...CLIENT_SCENARIOS,
  ...ACK_SCENARIOS.map((scenario) => ({
    ...scenario,
    name: `handled-${scenario.name}`,
    title: `${scenario.title}, by a listener, a handler, a handler under a contract`,
    side: "handlers",
    goalRatio: HANDLERS_GOAL_RATIO,
  })),
];
