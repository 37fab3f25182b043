import "reflect-metadata";

const REASON = Symbol("plugboard.nestjs.reason");

/** Why the client has left, as a parameter of `handleDisconnect`. The second parameter is that without a decorator too. */
export function WsReason(): ParameterDecorator {
  return (target, name, index) => {
    Reflect.defineMetadata(REASON, index, (target as Record<string | symbol, object>)[name as string] as object);
  };
}

/** The arguments of `handleDisconnect`, with the reason where it is wanted. Before Nest 12 there is none. */
export function withReason(hook: object, [client, second]: readonly unknown[], reason: unknown): unknown[] {
  const args = [client, second ?? reason];
  const index = Reflect.getMetadata(REASON, hook) as number | undefined;
  if (index !== undefined) args[index] = reason;
  return args;
}
