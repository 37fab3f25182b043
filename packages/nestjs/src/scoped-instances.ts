import { ContextIdFactory, ModuleRef, type ContextId } from "@nestjs/core";
import type { Socket } from "@plugboard/server";

/** What we use of the wrapper that Nest has around a provider. */
export interface ScopedWrapper {
  /** Of a provider with a scope: what stands in for its instances, made without its dependencies. */
  readonly instance: unknown;
  readonly isTransient: boolean;
  isDependencyTreeStatic(): boolean;
  isDependencyTreeDurable(): boolean;
}

/** A provider of which there is an instance for each socket. */
export interface ScopedProvider {
  readonly type: abstract new (...args: never[]) => object;
  readonly isDurable: boolean;
  /** Of the module that has it; there once Nest has made its instances. */
  readonly moduleRef: () => ModuleRef;
}

interface ModuleLike {
  getProviderByKey(token: unknown): { readonly instance: unknown } | undefined;
}

export function providerOf(type: ScopedProvider["type"], wrapper: ScopedWrapper, module: ModuleLike): ScopedProvider {
  const moduleRef = (): ModuleRef => module.getProviderByKey(ModuleRef)?.instance as ModuleRef;
  return { type, moduleRef, isDurable: wrapper.isDependencyTreeDurable() };
}

/**
 * Under which key Nest keeps the context of a request: where it looks for it first. From Nest 12 on it does so with sockets, and
 * what is found there serves all of their providers with a scope.
 */
const CONTEXT_KEY = findContextKey();

function findContextKey(): PropertyKey {
  let key: PropertyKey | undefined;
  const probe = new Proxy({}, { get: (_target, asked) => ((key ??= asked), {}) });
  ContextIdFactory.getByRequest(probe);
  if (key !== undefined) return key;
  throw new Error(
    "@plugboard/nestjs does not know this version of @nestjs/core: ContextIdFactory.getByRequest() looks for no context " +
      "(SIO_NESTJS_UNKNOWN_NEST). Please report it with the versions of your @nestjs packages.",
  );
}

const instances = new WeakMap<Socket, Map<ScopedProvider, Promise<object>>>();

/**
 * The instance for a socket. `REQUEST` is the socket there, or what the `ContextIdStrategy` of the application says for providers
 * that are durable: those are shared by all sockets that it puts together.
 */
export function instanceFor(socket: Socket, provider: ScopedProvider): Promise<object> {
  let ofSocket = instances.get(socket);
  if (ofSocket === undefined) instances.set(socket, (ofSocket = new Map()));
  const known = ofSocket.get(provider);
  if (known !== undefined) return known;
  const made = makeInstance(socket, provider);
  ofSocket.set(provider, made);
  return made;
}

async function makeInstance(socket: Socket, { type, moduleRef, isDurable }: ScopedProvider): Promise<object> {
  const ref = moduleRef();
  return ref.resolve(type as never, contextOf(socket, ref, isDurable), { strict: true });
}

function contextOf(socket: Socket, moduleRef: ModuleRef, isDurable: boolean): ContextId {
  const id = ContextIdFactory.getByRequest(socket as never);
  if (Object.hasOwn(socket, CONTEXT_KEY)) return id;
  Object.defineProperty(socket, CONTEXT_KEY, { value: id, configurable: true });
  moduleRef.registerRequestByContextId(isDurable ? id.payload : Object.assign(socket, id.payload), id);
  return id;
}

/** Lets go of the instances for a socket, which may be kept longer than it is connected. */
export function releaseInstances(socket: Socket): void {
  instances.delete(socket);
  Reflect.deleteProperty(socket, CONTEXT_KEY);
}
