import { ACK_SCENARIOS } from "./ack.mjs";
import { BROADCAST_SCENARIOS } from "./broadcast.mjs";
import { CLIENT_SCENARIOS } from "./client.mjs";
import { CONNECT_SCENARIO } from "./connect.mjs";
import { IDLE_MEMORY_SCENARIO } from "./idle-memory.mjs";

/**
 * @typedef {object} Scenario
 * @property {string} name for `--scenario`
 * @property {string} title
 * @property {"server" | "client" | "handlers" | "frameworks" | "nestjs"} side of the connection that is measured; `handlers`: ways to handle
 *   events; `frameworks`: our server in an application beside it on bare Node; `nestjs`: a gateway on our adapter and on the published one
 * @property {string} unit of `value` in its samples; less is better in all of them
 * @property {number} [goalRatio] of the reference's value: what we want to be below
 * @property {(context: import("../run-scenario.mjs").ScenarioContext & import("./client.mjs").ClientContext) => Promise<{ value: number }>} run
 */

/** At most half of the reference's cost is the standing goal of every row of the server. */
const SERVER_GOAL_RATIO = 0.5;

/** What a handler under a contract may cost, of what a plain listener does. */
const HANDLERS_GOAL_RATIO = 1.3;

/** What a handshake through the router and the hooks of a framework may cost, of one on bare Node. */
const FRAMEWORK_CONNECT_GOAL_RATIO = 1.5;

/** A message does not pass the framework; the rest is noise. */
const FRAMEWORK_MESSAGE_GOAL_RATIO = 1.1;

/** What an event through a gateway on our adapter may cost, of one on `@nestjs/platform-socket.io`: one and a half times cheaper. */
const NESTJS_GOAL_RATIO = 0.67;

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
  {
    ...CONNECT_SCENARIO,
    name: "framework-connect",
    title: `${CONNECT_SCENARIO.title}, on bare Node and through a framework`,
    side: "frameworks",
    goalRatio: FRAMEWORK_CONNECT_GOAL_RATIO,
  },
  ...ACK_SCENARIOS.map((scenario) => ({
    ...scenario,
    name: `framework-${scenario.name}`,
    title: `${scenario.title}, on bare Node and in a framework`,
    side: "frameworks",
    goalRatio: FRAMEWORK_MESSAGE_GOAL_RATIO,
  })),
  ...[...ACK_SCENARIOS, BROADCAST_SCENARIOS[0]].map((scenario) => ({
    ...scenario,
    name: `nestjs-${scenario.name}`,
    title: `${scenario.title}, through a gateway of NestJS`,
    side: "nestjs",
    goalRatio: NESTJS_GOAL_RATIO,
  })),
];
