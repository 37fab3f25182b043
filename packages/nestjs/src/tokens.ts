import { Inject } from "@nestjs/common";

// Nest names the token where it finds no provider: what tokens are called is the advice that is read then.

/** Of the provider of the server. */
export const SOCKET_IO_SERVER: unique symbol = Symbol("the Socket.IO server: import SocketIoModule.forRoot()");

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
  return `the Socket.IO namespace ${withSlash(name)}: import SocketIoModule.forRoot()`;
}

/** Names that somebody wants injected. */
export function injectedNamespaces(): string[] {
  return [...namespaces];
}

function withSlash(name: string): string {
  return name.startsWith("/") ? name : `/${name}`;
}
