import { afterAll, beforeAll, describe, it } from "vitest";
import { plugboard, reference, type InteropImplementation } from "../support/interop-implementation.js";
import { startEnvironmentServer, type EnvironmentServer, type Files } from "./environment-server.js";
import type { ScenarioRun } from "./fixtures/run-scenario.js";
import { allScenarios } from "./scenarios/index.js";

/** Some hosts are downloaded when they are needed first, which may take a while. */
const INSTALL_TIMEOUT_MS = 300_000;

/** A host that a client runs in. */
export interface Environment {
  /** Runs one scenario there; rejects with what went wrong. */
  run(scenario: ScenarioRun): Promise<void>;
  /** How many scenarios it can run at once. */
  readonly atOnce: number;
  close?(): Promise<void> | void;
}

/** How connections travel, by name: the transports to ask for. */
export type Travels = Record<string, ScenarioRun["transports"]>;

/** The built-in transports, where there are all of them. */
export const everyTravel: Travels = {
  polling: ["polling"],
  websocket: ["websocket"],
  "polling, then websocket": ["polling", "websocket"],
};

export interface EnvironmentSuite {
  /** Starts the host, once for each server, which is listening by then. */
  start(server: EnvironmentServer): Promise<Environment>;
  readonly travels: Travels;
  /** What the server gives out on the same origin. */
  readonly files?: () => Promise<Files>;
  /** Our server and the published one by default. */
  readonly servers?: readonly InteropImplementation[];
}

/** For hosts that differ from another one only in how the client is loaded. */
export const loadedOtherwise = {
  servers: [plugboard],
  travels: { "polling, then websocket": ["polling", "websocket"] },
} satisfies Partial<EnvironmentSuite>;

/** Runs every scenario in a host, against every server, over every transport. */
export function describeScenarios(host: string, suite: EnvironmentSuite): void {
  const { travels, servers = [plugboard, reference] } = suite;
  for (const implementation of servers) {
    describe(`${host}, ${implementation.ours ? "our server" : implementation.name}`, () => {
      let server: EnvironmentServer;
      let environment: Environment | undefined;
      let run: Environment["run"];

      beforeAll(async () => {
        server = await startEnvironmentServer(implementation, await suite.files?.());
        environment = await suite.start(server);
        run = atMost(environment.atOnce, environment.run);
      }, INSTALL_TIMEOUT_MS);

      afterAll(async () => {
        await environment?.close?.();
        await server?.close();
      });

      for (const [travel, transports] of Object.entries(travels)) {
        describe.concurrent(travel, () => {
          for (const scenario of Object.keys(allScenarios)) {
            it(scenario, () => run({ scenario, url: server.url, transports }));
          }
        });
      }
    });
  }
}

/** Lets `count` calls run at once; the others wait for their turn. */
function atMost<Argument>(
  count: number,
  action: (argument: Argument) => Promise<void>,
): (argument: Argument) => Promise<void> {
  const waiting: Array<() => void> = [];
  let running = 0;
  return async (argument) => {
    if (running === count) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      await action(argument);
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
