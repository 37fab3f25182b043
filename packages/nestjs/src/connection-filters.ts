import type { ExternalContextCreator } from "@nestjs/core";
import type { EventCall } from "./event-call.js";

/** Of what the context creator knows, filters alone are asked. */
const FILTERS_ALONE = { guards: false, interceptors: false, filters: true };

/**
 * Has the filters of a gateway see what its `handleConnection` has thrown, as they see what handlers of events throw: Nest keeps
 * them to those.
 *
 * @param hook - may have filters of its own
 */
export async function tellByFilters(
  creator: ExternalContextCreator,
  gateway: object,
  hook: object,
  call: EventCall,
  error: unknown,
): Promise<void> {
  const failing = (): never => {
    throw error;
  };
  for (const key of Reflect.getMetadataKeys(hook)) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, hook), failing);
  }
  const none = undefined;
  try {
    const run = creator.create(
      gateway,
      failing,
      "handleConnection",
      none,
      none,
      none,
      none,
      FILTERS_ALONE,
      "ws" as "http",
    );
    await run(call.socket, undefined, undefined, call, call.event);
  } catch (fault) {
    call.fail(fault);
  }
}
