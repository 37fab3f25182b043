import { Inject } from "@nestjs/common";

/** Of the provider of the server. */
export const SOCKET_IO_SERVER: unique symbol = Symbol("plugboard.nestjs.server");

const namespaces = new Set<string>();

/** Injects the server. It is there before the application starts: what is emitted then reaches nobody, for nobody is connected. */
export function InjectServer(): ParameterDecorator & PropertyDecorator {
  return Inject(SOCKET_IO_SERVER) as ParameterDecorator & PropertyDecorator;
}

/**
 * Injects a namespace of the server. The class has to be loaded before `SocketIoModule.forRoot()` is called, which it is when
 * the module that imports that has it among its imports.
 *
 * @param name - with or without its leading slash
 */
export function InjectNamespace(name: string): ParameterDecorator & PropertyDecorator {
  namespaces.add(withSlash(name));
  return Inject(namespaceToken(name)) as ParameterDecorator & PropertyDecorator;
}

/** Token of the provider of a namespace, for `moduleRef.get()`. */
export function namespaceToken(name: string): string {
  return `plugboard.nestjs.namespace:${withSlash(name)}`;
}

/** Names that somebody wants injected. */
export function injectedNamespaces(): string[] {
  return [...namespaces];
}

function withSlash(name: string): string {
  return name.startsWith("/") ? name : `/${name}`;
}
