import type { Browser } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { plugboard } from "../support/interop-implementation.js";
import { chromiumFiles, launchChromium, openPage, programIn } from "./chromium.js";
import { describeScenarios, type EnvironmentSuite, everyTravel, loadedOtherwise } from "./describe-scenarios.js";

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser?.close());

function describePage(host: string, path: string, suite: Pick<EnvironmentSuite, "travels" | "servers">): void {
  describeScenarios(host, {
    ...suite,
    files: chromiumFiles,
    async start({ url }) {
      const page = await openPage(browser, url + path);
      return programIn(page, () => page.context().close());
    },
  });
}

describePage("Chromium page with the ESM bundle", "/module.html", { travels: everyTravel });
describePage("Chromium page with Fetch instead of XHR", "/module.html", {
  servers: [plugboard],
  travels: {
    "polling by fetch": ["class Fetch"],
    "polling by fetch, then websocket": ["class Fetch", "class WebSocket"],
  },
});
describePage("Chromium page with the UMD bundle in a script tag", "/script.html", loadedOtherwise);
