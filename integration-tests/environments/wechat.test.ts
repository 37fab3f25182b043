import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { plugboard } from "../support/interop-implementation.js";
import { startBareHost } from "./bare-host.js";
import { describeScenarios } from "./describe-scenarios.js";
import { bundleClient } from "./scenario-bundle.js";
import { weChatGlobals } from "./wechat-globals.js";

const example = fileURLToPath(new URL("../../examples/wechat-transport/wechat-socket.js", import.meta.url));

describeScenarios("WeChat's globals and the transport of the example", {
  servers: [plugboard],
  travels: { connectSocket: ["class WeChatSocket"] },
  start: async () => startBareHost(await bundleClient(example), weChatGlobals),
});

describe("the example of a transport for WeChat", () => {
  it("has sixty lines at most", () => {
    expect(readFileSync(example, "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(60);
  });
});
