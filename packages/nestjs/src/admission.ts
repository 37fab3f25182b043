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

/** How clients are told why they are refused. */
interface RefusalPolicy {
  readonly mapHttpExceptions: boolean;
  log(error: unknown): void;
}

/** Asks middlewares and guards, in order; rejects with what the client is told by `connect_error`. */
export async function admit(
  socket: Socket,
  admissions: readonly Admission[],
  { mapHttpExceptions, log }: RefusalPolicy,
): Promise<void> {
  for (const { middlewares } of admissions) {
    for (const middleware of middlewares) {
      await runMiddleware(middleware, socket).catch((error: unknown) => {
        const { isInternal, refusal } = refusalOf(error, mapHttpExceptions);
        // As of any middleware of Socket.IO: message and `data`.
        const isPlain = isInternal || (error as Partial<ExtendedError>).data !== undefined;
        throw isPlain ? error : refusal;
      });
    }
  }
  for (const { type, guards } of admissions) {
    for (const guard of guards) {
      const isAllowed = await isActivated(guard, new ConnectContext(socket, type)).catch((error: unknown) => {
        const { isInternal, refusal } = refusalOf(error, mapHttpExceptions);
        if (isInternal) log(error);
        throw refusal;
      });
      if (!isAllowed) throw connectError(FORBIDDEN_MESSAGE, FORBIDDEN);
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

const FORBIDDEN = { statusCode: 403, message: FORBIDDEN_MESSAGE, error: "Forbidden" };

/** The message, and as `data` what an HTTP client would read; of an error that is not for clients neither. */
function refusalOf(error: unknown, mapHttpExceptions: boolean): { refusal: ExtendedError; isInternal: boolean } {
  const { answer, isInternal } = describeError(error, mapHttpExceptions);
  const { status: _status, ...rest } = answer;
  const body = mapHttpExceptions && !isInternal ? httpBody(error) : undefined;
  return { refusal: connectError(answer.message, body ?? rest), isInternal };
}

function connectError(message: string, data: object): ExtendedError {
  return Object.assign(new Error(message), { data });
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
