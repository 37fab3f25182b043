import { defineEvents } from "@plugboard/contract";
import { useContract } from "@plugboard/server";
import { serveEcho } from "./serve-echo.mjs";

/** As cheap as a validator can be: what is measured is what stands around it. */
const text = {
  "~standard": {
    version: 1,
    vendor: "benchmark",
    validate: (value) => (typeof value === "string" ? { value } : { issues: [{ message: "expected a string" }] }),
  },
};

const contract = defineEvents({ client: { echo: { payload: text, ack: text } } });

/** A handler under a contract: payload and acknowledgement are validated. */
await serveEcho((io) => useContract(io, contract).handle("echo", (payload) => payload));
