import { ACK_SCENARIOS } from "./ack.mjs";
import { BROADCAST_SCENARIOS } from "./broadcast.mjs";
import { IDLE_MEMORY_SCENARIO } from "./idle-memory.mjs";

/**
 * @typedef {object} Scenario
 * @property {string} name for `--scenario`
 * @property {string} title
 * @property {string} unit of `value` in its samples; less is better in all of them
 * @property {(context: import("../run-scenario.mjs").ScenarioContext) => Promise<{ value: number }>} run
 */

/** @type {Scenario[]} */
export const SCENARIOS = [...ACK_SCENARIOS, ...BROADCAST_SCENARIOS, IDLE_MEMORY_SCENARIO];
