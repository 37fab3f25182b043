import type { EventHandler, EventStep, Namespace, Server, StandardSchema } from "@plugboard/server";
import { demand } from "./express-error.js";

/** Where handlers are registered: a namespace, or a server, which stands for its main one. */
type HandlerTarget = Pick<Namespace, "handle"> | Pick<Server, "handle">;

/** Handlers of events that are mounted together, as routes are by a router: `io.use("/todos", router)`. */
export interface EventRouter {
  /**
   * Adds the handler of an event; what it returns is the acknowledgement.
   *
   * @param stepsAndHandler - steps as those of `socket.handle`, the handler last
   */
  // oxlint-disable-next-line typescript/no-explicit-any
  on(event: string, handler: EventHandler<any, any, any>): this;
  // oxlint-disable-next-line typescript/no-explicit-any
  on<Payload>(event: string, schema: StandardSchema<unknown, Payload>, handler: EventHandler<Payload, any, any>): this;
  // oxlint-disable-next-line typescript/no-explicit-any
  on(event: string, ...stepsAndHandler: [...EventStep[], EventHandler<any, any, any>]): this;
  /** Adds steps for the events added from now on. */
  use(...steps: EventStep[]): this;
  /** What `io.use` calls: registers the handlers, those that are added later too. */
  install(target: HandlerTarget): void;
}

/** Makes a router of events. */
export function EventRouter(): EventRouter {
  const steps: EventStep[] = [];
  const routes: [event: string, ...stepsAndHandler: unknown[]][] = [];
  const targets: { handle(event: string, ...stepsAndHandler: unknown[]): unknown }[] = [];
  const router = {
    on(event: string, ...own: unknown[]) {
      const last = own.at(-1);
      demand(
        typeof event === "string" && typeof last === "function" && !isSchema(last),
        "EventRouter().on takes the name of an event, steps, and the handler last",
      );
      demandSteps(own.slice(0, -1));
      const route: (typeof routes)[number] = [event, ...steps, ...own];
      routes.push(route);
      for (const target of targets) target.handle(...route);
      return router;
    },
    use(...more: EventStep[]) {
      demandSteps(more);
      steps.push(...more);
      return router;
    },
    install(target: (typeof targets)[number]) {
      targets.push(target);
      for (const route of routes) target.handle(...route);
    },
  };
  return router as EventRouter;
}

/**
 * A Standard Schema (zod, valibot, arktype, ...) as a step of `handle`: what it makes of the payload is what the handler gets.
 *
 * @throws ExpressError with code `SIO_EXPRESS_INVALID_OPTION` for what is no schema
 */
export function validate<Input, Output>(schema: StandardSchema<Input, Output>): StandardSchema<Input, Output> {
  demand(
    isSchema(schema),
    "validate takes a Standard Schema, such as z.object({ sku: z.string() }) of zod 3.24 or later",
  );
  return schema;
}

function demandSteps(steps: readonly unknown[]): void {
  const areSteps = steps.every((step) => typeof step === "function" || isSchema(step));
  demand(areSteps, "a step of an EventRouter() has to be a function or a Standard Schema");
}

/** Some libraries make schemas that are functions. */
function isSchema(value: unknown): boolean {
  const { "~standard": standard } = Object(value) as { "~standard"?: { validate?: unknown } };
  return typeof standard?.validate === "function";
}
