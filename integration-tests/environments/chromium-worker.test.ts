import type { Browser, Page, Worker } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { plugboard } from "../support/interop-implementation.js";
import { chromiumFiles, launchChromium, openPage, programIn, startServiceWorker, startWorker } from "./chromium.js";
import { describeScenarios, type EnvironmentSuite, everyTravel, loadedOtherwise } from "./describe-scenarios.js";

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser?.close());

function describeWorker(
  host: string,
  startProgram: (page: Page, program: string) => Promise<Worker>,
  program: string,
  suite: Pick<EnvironmentSuite, "travels" | "servers">,
): void {
  describeScenarios(host, {
    ...suite,
    files: chromiumFiles,
    async start({ url }) {
      const page = await openPage(browser, `${url}/blank.html`);
      return programIn(await startProgram(page, program), () => page.context().close());
    },
  });
}

describeWorker("Chromium worker of type module", startWorker, "/module.js", { travels: everyTravel });
describeWorker(
  "Chromium worker that imports the UMD bundle with debug output as a script",
  startWorker,
  "/debug-script.js",
  loadedOtherwise,
);

// There is no XMLHttpRequest.
describeWorker("Chromium service worker of type module", startServiceWorker, "/module.js", {
  servers: [plugboard],
  travels: {
    websocket: ["websocket"],
    "polling by fetch": ["class Fetch"],
    "polling by fetch, then websocket": ["class Fetch", "class WebSocket"],
  },
});
describeWorker("Chromium service worker that imports the UMD bundle as a script", startServiceWorker, "/script.js", {
  servers: [plugboard],
  travels: { websocket: ["websocket"] },
});
