import type { EventContext } from "@plugboard/server";
import type { DeclaredEvent } from "./declared-event.js";
import type { EventScope } from "./event-scope.js";
import type { EventOptions, HookContext } from "./event-types.js";
import { isPromise, type Validator } from "./validation.js";

type Handler = (payload: unknown, context: HookContext) => unknown;
type Step = (context: HookContext) => unknown;

/** What a namespace does for an event. */
export type RegisterHandler = (event: string, handler: (payload: unknown, context: EventContext) => unknown) => unknown;

/**
 * Registers the handler of an event of a scope. Stays synchronous as long as all that runs is.
 *
 * @param register - of the namespace: what the handler returns is the acknowledgement
 */
export function registerEvent(
  register: RegisterHandler,
  scope: EventScope,
  event: DeclaredEvent,
  options: EventOptions<unknown, unknown, unknown>,
  handler: Handler,
): void {
  const { preHandler = [], config } = options;
  const preHandlers = Array.isArray(preHandler) ? preHandler : [preHandler];
  // Hooks can be added until the application is ready, and events come later.
  let before: readonly Step[] | undefined;
  let onAck: ReturnType<typeof scope.all<"onAck">> | undefined;
  register(event.name, (_payload, given) => {
    const context = (config === undefined ? given : Object.assign(given, { config })) as unknown as HookContext;
    const { payload } = event.compile();
    before ??= [...scope.all("preEvent"), ...(payload ? [validatePayload(payload)] : []), ...preHandlers];
    return run(before, context);
  });

  function run(steps: readonly Step[], context: HookContext): unknown {
    let result: unknown;
    try {
      result = chain(
        chain(inOrder(steps, context, 0), () => handler(context.args[0], context)),
        (answer) => acknowledge(answer, context),
      );
    } catch (error) {
      return fail(error, context);
    }
    return isPromise(result) ? result.then(undefined, (error: unknown) => fail(error, context)) : result;
  }

  function acknowledge(given: unknown, context: HookContext): unknown {
    const hooks = (onAck ??= scope.all("onAck"));
    const { answer: validate } = event.compile();
    const valid = validate === undefined ? given : validate(given);
    if (hooks.length === 0) return valid;
    return chain(valid, (answer) => {
      const steps = hooks.map((hook) => (): unknown => hook(context, answer));
      return chain(inOrder(steps, context, 0), () => answer);
    });
  }

  /** @throws the error, when the hooks have seen it */
  function fail(error: unknown, context: HookContext): unknown {
    const hooks = scope.all("onEventError");
    if (hooks.length === 0) throw error;
    const told = inOrder(
      hooks.map((hook) => (): unknown => hook(error, context)),
      context,
      0,
    );
    return chain(told, () => {
      throw error;
    });
  }
}

function validatePayload(validate: Validator): Step {
  return (context) =>
    chain(validate(context.args[0]), (value) => {
      context.args[0] = value;
    });
}

function inOrder(steps: readonly Step[], context: HookContext, from: number): unknown {
  for (let i = from; i < steps.length; i++) {
    const result = steps[i]!(context);
    if (isPromise(result)) return result.then(() => inOrder(steps, context, i + 1));
  }
  return undefined;
}

function chain(value: unknown, next: (value: unknown) => unknown): unknown {
  return isPromise(value) ? value.then(next) : next(value);
}
