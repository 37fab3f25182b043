import { describe, it } from "vitest";
import { plugboard, reference, type InteropImplementation } from "./interop-implementation.js";
import type { InteropServerOptions } from "./interop-implementation.js";
import { listen, type ListenOptions, type ListeningServer } from "./listening-server.js";

const implementations: readonly InteropImplementation[] = [plugboard, reference];

/** What a topic of the interop suite is written with. */
export interface InteropContext {
  readonly implementation: InteropImplementation;
  /** Starts a server of the implementation on 127.0.0.1; it is closed when the test finishes. */
  startServer(options?: InteropServerOptions, listenOptions?: ListenOptions): Promise<ListeningServer>;
  /** A test of something the reference gets wrong or does not have; `reason` says what. */
  oursOnly(title: string, reason: string, body: () => Promise<void>): void;
}

/** Runs one topic against every implementation: ours is what is tested, the reference proves the tests right. */
export function interopSuite(topic: string, define: (context: InteropContext) => void): void {
  for (const implementation of implementations) {
    describe(`${topic} on ${implementation.name}`, () => {
      define({
        implementation,
        startServer: (options = {}, listenOptions = {}) => listen(implementation, options, listenOptions),
        oursOnly: (title, reason, body) => {
          if (implementation.ours) it(`${title} (unlike the reference: ${reason})`, body);
        },
      });
    });
  }
}
