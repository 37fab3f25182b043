import { acknowledgements } from "./acknowledgements.js";
import { connecting } from "./connecting.js";
import { messages } from "./messages.js";
import { returning } from "./returning.js";
import type { Scenario } from "./scenario.js";

/** Every scenario, by a sentence that says what the client does. */
export const scenarios: Record<string, Scenario> = { ...connecting, ...messages, ...acknowledgements, ...returning };
