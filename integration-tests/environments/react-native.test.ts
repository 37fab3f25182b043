import { plugboard } from "../support/interop-implementation.js";
import { startBareHost } from "./bare-host.js";
import { describeScenarios, everyTravel } from "./describe-scenarios.js";
import { reactNativeGlobals } from "./react-native-globals.js";
import { bundleClient } from "./scenario-bundle.js";

describeScenarios("React Native's globals", {
  servers: [plugboard],
  travels: { ...everyTravel, "polling by fetch": ["class Fetch"] },
  start: async () => startBareHost(await bundleClient(), reactNativeGlobals),
});
