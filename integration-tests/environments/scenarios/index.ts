import { scenarios } from "../../client/scenarios/index.js";
import type { Scenario } from "../../client/scenarios/scenario.js";
import { moreScenarios } from "./more-scenarios.js";

/** Every scenario that is run in every environment, by a sentence that says what the client does. */
export const allScenarios: Record<string, Scenario> = { ...scenarios, ...moreScenarios };
