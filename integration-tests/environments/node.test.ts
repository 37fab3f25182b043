import { beforeAll, describe } from "vitest";
import { installRuntimes, isServedPlatform, nodeLines, nodeOf } from "../matrix/runtimes.js";
import { describeScenarios, loadedOtherwise } from "./describe-scenarios.js";
import { startScenarioProcess } from "./scenario-process.js";

/** Both servers and every transport are there on the Node at hand, in `client/scenarios.test.ts`, from the sources. */
function describeNode(host: string, executable: string): void {
  describeScenarios(host, {
    ...loadedOtherwise,
    start: () => startScenarioProcess(async (file) => [executable, file]),
  });
}

describeNode("Node at hand", process.execPath);

// Where no package brings Node, the version at hand is all there is: other machines of CI do the rest.
describe.runIf(isServedPlatform)("installed by npm:", () => {
  beforeAll(installRuntimes, 300_000);
  for (const { line } of nodeLines) describeNode(`Node ${line}`, nodeOf(line));
});
