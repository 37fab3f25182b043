import type { Server as HttpServer } from "node:http";
import type { DefaultEventsMap, Server } from "@plugboard/server";
import { demand, isOptions } from "./express-error.js";
import type { TestClientOptions, TestSocket } from "@plugboard/testing";

/** What is used of an agent of supertest: its cookies. */
export interface SupertestAgent {
  readonly jar: {
    getCookies(access: {
      domain: string;
      path: string;
      secure: boolean;
      script: boolean;
    }): readonly { toValueString(): string }[];
  };
}

/** Options of `io.inject`: those of `testClient` of `@plugboard/testing`, and `agent` may be one of supertest. */
export interface InjectOptions extends Omit<TestClientOptions, "agent"> {
  /** An agent of supertest, whose cookies the client has; or an `http.Agent`. */
  agent?: TestClientOptions["agent"] | SupertestAgent;
}

/** Connects a client in memory to an application that need not listen. */
export async function injectClient(
  server: HttpServer,
  io: Server,
  namespace: string,
  given: InjectOptions,
): Promise<TestSocket<DefaultEventsMap, DefaultEventsMap>> {
  demand(
    typeof namespace === "string" && isOptions(given),
    'io.inject takes the name of a namespace, then options: io.inject("/", { agent })',
  );
  const { agent, remoteAddress, cookies, ...options } = given;
  demand(
    agent === undefined || (typeof agent === "object" && agent !== null),
    "the option agent of io.inject has to be an agent of supertest, request.agent(app), or an http.Agent",
  );
  // Only here: what tests need is not loaded by servers that run.
  const { memoryAgent, testClient } = await import("@plugboard/testing");
  const jar = agent !== undefined && "jar" in agent ? (agent as SupertestAgent).jar : undefined;
  const all = jar === undefined ? cookies : [...cookiesIn(jar), ...asTexts(cookies)];
  const transport =
    jar === undefined && agent !== undefined
      ? (agent as TestClientOptions["agent"])
      : memoryAgent(server as never, remoteAddress === undefined ? {} : { remoteAddress });
  return testClient(io, namespace, {
    ...options,
    ...(all !== undefined && { cookies: all }),
    agent: transport,
  } as TestClientOptions) as unknown as Promise<TestSocket<DefaultEventsMap, DefaultEventsMap>>;
}

function cookiesIn(jar: SupertestAgent["jar"]): string[] {
  const access = { domain: "127.0.0.1", path: "/", secure: false, script: false };
  return jar.getCookies(access).map((cookie) => cookie.toValueString());
}

function asTexts(cookies: TestClientOptions["cookies"]): string[] {
  if (cookies === undefined) return [];
  if (Array.isArray(cookies)) return cookies as string[];
  return Object.entries(cookies).map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
}
