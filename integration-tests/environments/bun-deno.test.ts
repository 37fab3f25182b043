import { describeScenarios, everyTravel } from "./describe-scenarios.js";
import { bun, deno } from "./runtimes.js";
import { startScenarioProcess } from "./scenario-process.js";

for (const runtime of [bun, deno]) {
  describeScenarios(runtime.name, { travels: everyTravel, start: () => startScenarioProcess(runtime.command) });
}
