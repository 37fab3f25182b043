import type { EventContext } from "@plugboard/server";
import type { EventScope } from "./event-scope.js";
import type { EventOptions, HookContext } from "./event-types.js";
import { isPromise, validatorOf, type Validator } from "./validation.js";

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
  name: string,
  options: EventOptions<unknown, unknown, unknown>,
  handler: Handler,
): void {
  const { schema, preHandler = [], config } = options;
  const payload =
    schema?.payload === undefined ? undefined : validatorOf(schema.payload, scope.instance, "SIO_INVALID_PAYLOAD");
  const ack = schema?.ack === undefined ? undefined : validatorOf(schema.ack, scope.instance, "SIO_INVALID_ACK");
  const preHandlers = Array.isArray(preHandler) ? preHandler : [preHandler];
  let before: readonly Step[] | undefined;
  register(name, (_payload, given) => {
    const context = (config === undefined ? given : Object.assign(given, { config })) as unknown as HookContext;
    // Hooks can be added until the application is ready.
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
    return chain(ack === undefined ? given : ack(given, context.socket.request), (answer) => {
      const hooks = scope.all("onAck").map((hook) => (): unknown => hook(context, answer));
      return chain(inOrder(hooks, context, 0), () => answer);
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
    chain(validate(context.args[0], context.socket.request), (value) => {
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
