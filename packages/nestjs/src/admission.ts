import type { CanActivate, ExecutionContext } from "@nestjs/common";
import type { ExtendedError, Socket } from "@plugboard/server";
import { isObservable, lastValueFrom } from "rxjs";
import { describeError, FORBIDDEN_MESSAGE, httpBody } from "./error-answers.js";
import { platformRequest } from "./platform-front.js";
import type { GatewayClass, SocketMiddlewareClass } from "./gateways.js";

/** What guards are told as the pattern of the event, at connect. */
export const CONNECT_PATTERN = "$connect";

/** Who decides whether a socket may join the namespace of a gateway. */
export interface Admission {
  readonly type: GatewayClass;
  readonly middlewares: readonly SocketMiddlewareClass[];
  readonly guards: readonly CanActivate[];
}

/** Asks middlewares and guards, in order; rejects with what the client is told by `connect_error`. */
export async function admit(
  socket: Socket,
  admissions: readonly Admission[],
  options: { mapHttpExceptions: boolean; log: (error: unknown) => void },
): Promise<void> {
  for (const { middlewares } of admissions) {
    for (const middleware of middlewares) await runMiddleware(middleware, socket);
  }
  for (const { type, guards } of admissions) {
    for (const guard of guards) {
      let isAllowed: boolean;
      try {
        isAllowed = await isActivated(guard, new ConnectContext(socket, type));
      } catch (error) {
        throw connectError(error, options);
      }
      if (!isAllowed) throw forbidden();
    }
  }
}

function runMiddleware(middleware: SocketMiddlewareClass, socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (error?: Error): void => (error ? reject(error) : resolve());
    // An asynchronous one may throw, and may have called `next` before.
    void (async () => middleware.use(socket, next))().catch(reject);
  });
}

async function isActivated(guard: CanActivate, context: ExecutionContext): Promise<boolean> {
  const result = await guard.canActivate(context);
  return isObservable(result) ? lastValueFrom(result) : result;
}

function forbidden(): ExtendedError {
  const data = { statusCode: 403, message: FORBIDDEN_MESSAGE, error: "Forbidden" };
  return Object.assign(new Error(FORBIDDEN_MESSAGE), { data });
}

/** The message, and as `data` what an HTTP client would read; of an error that is not for clients neither. */
function connectError(
  error: unknown,
  { mapHttpExceptions, log }: { mapHttpExceptions: boolean; log: (error: unknown) => void },
): ExtendedError {
  const { answer, isInternal } = describeError(error, mapHttpExceptions);
  if (isInternal) log(error);
  const { status: _status, message, data, ...rest } = answer as typeof answer & Record<string, unknown>;
  // An internal one may throw when it is read.
  const body = mapHttpExceptions && !isInternal ? httpBody(error) : undefined;
  return Object.assign(new Error(message), { data: body ?? { ...rest, message, ...(data !== undefined && { data }) } });
}

/** What guards get to see of a socket that asks to join: an event `$connect` without payload. */
class ConnectContext implements ExecutionContext {
  readonly #args: readonly unknown[];
  readonly #type: GatewayClass;

  constructor(socket: Socket, type: GatewayClass) {
    this.#args = [socket, undefined, undefined, undefined, CONNECT_PATTERN];
    this.#type = type;
  }

  getClass<T>(): never {
    return this.#type as unknown as never & T;
  }

  /** `handleConnection` where there is one: decorators may have put metadata for guards there. */
  getHandler(): () => void {
    const { handleConnection } = this.#type.prototype as { handleConnection?: () => void };
    return handleConnection ?? (this.#type as unknown as () => void);
  }

  getArgs<T extends unknown[]>(): T {
    return [...this.#args] as T;
  }

  getArgByIndex<T>(index: number): T {
    return this.#args[index] as T;
  }

  getType<T extends string>(): T {
    return "ws" as T;
  }

  switchToWs(): ReturnType<ExecutionContext["switchToWs"]> {
    return {
      getClient: <T>() => this.#args[0] as T,
      getData: <T>() => undefined as T,
      getPattern: () => CONNECT_PATTERN,
    };
  }

  switchToHttp(): ReturnType<ExecutionContext["switchToHttp"]> {
    return {
      // As guards for HTTP see it, such as those of `@nestjs/passport`: they leave the user there.
      getRequest: <T>() => platformRequest((this.#args[0] as Socket).request) as T,
      getResponse: <T>() => undefined as T,
      getNext: <T>() => undefined as T,
    };
  }

  switchToRpc(): ReturnType<ExecutionContext["switchToRpc"]> {
    return { getData: <T>() => undefined as T, getContext: <T>() => this.#args[0] as T };
  }
}
