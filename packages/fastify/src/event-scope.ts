import type { FastifyInstance } from "fastify";
import type { EventHooks } from "./event-types.js";

/**
 * Hooks of one scope of Fastify, which is what `register` makes. Those of a scope hold for the scopes in it, and reach no
 * others.
 */
export class EventScope {
  readonly instance: FastifyInstance;
  readonly #parent: EventScope | undefined;
  /** The scope that declares the namespace which events of this one belong to. */
  readonly owner: EventScope;
  readonly #hooks = new Map<keyof EventHooks, EventHooks[keyof EventHooks][]>();

  /** @param declaresNamespace - whether connections of another namespace begin here. Default: false */
  constructor(instance: FastifyInstance, parent?: EventScope, declaresNamespace: boolean = false) {
    this.instance = instance;
    this.#parent = parent;
    this.owner = declaresNamespace || parent === undefined ? this : parent.owner;
  }

  add<Name extends keyof EventHooks>(name: Name, hook: EventHooks[Name]): void {
    const hooks = this.#hooks.get(name);
    if (hooks === undefined) this.#hooks.set(name, [hook]);
    else hooks.push(hook);
  }

  own<Name extends keyof EventHooks>(name: Name): readonly EventHooks[Name][] {
    return (this.#hooks.get(name) ?? []) as EventHooks[Name][];
  }

  /** Those of the scopes around it first. */
  all<Name extends keyof EventHooks>(name: Name): readonly EventHooks[Name][] {
    return [...(this.#parent?.all(name) ?? []), ...this.own(name)];
  }

  isAround(other: EventScope): boolean {
    return other === this || (other.#parent !== undefined && this.isAround(other.#parent));
  }
}

/** The scopes of one Socket.IO server, by instance of Fastify. */
export class EventScopes {
  readonly #root: FastifyInstance;
  readonly #scopes = new Map<FastifyInstance, EventScope>();

  /** @param root - where the plugin is registered */
  constructor(root: FastifyInstance) {
    this.#root = root;
    this.#scopes.set(root, new EventScope(root));
  }

  get root(): EventScope {
    return this.#scopes.get(this.#root) as EventScope;
  }

  /** Scopes of Fastify inherit from the one they are registered in. */
  of(instance: FastifyInstance): EventScope {
    const known = this.#scopes.get(instance);
    if (known !== undefined) return known;
    const around = Object.getPrototypeOf(instance) as FastifyInstance | null;
    const parent = around === null ? this.root : this.#isInside(around) ? this.of(around) : this.root;
    return this.#add(instance, new EventScope(instance, parent));
  }

  /** A scope in which connections of a namespace begin. */
  declareNamespace(instance: FastifyInstance): EventScope {
    return this.#add(
      instance,
      new EventScope(instance, this.of(Object.getPrototypeOf(instance) as FastifyInstance), true),
    );
  }

  /**
   * Hooks for sockets of a namespace.
   *
   * @param owners - the scopes that declare it
   */
  forSockets<Name extends "onConnect" | "onDisconnect">(
    name: Name,
    owners: readonly EventScope[],
  ): readonly EventHooks[Name][] {
    return [...this.#scopes.values()]
      .filter((scope) => owners.some((owner) => scope.isAround(owner) || scope.owner === owner))
      .flatMap((scope) => scope.own(name));
  }

  #add(instance: FastifyInstance, scope: EventScope): EventScope {
    this.#scopes.set(instance, scope);
    return scope;
  }

  #isInside(instance: FastifyInstance): boolean {
    return instance === this.#root || Object.prototype.isPrototypeOf.call(this.#root, instance);
  }
}
