import "reflect-metadata";
import { UseFilters, UseGuards, UseInterceptors, UsePipes } from "@nestjs/common";
import { SubscribeMessage, WebSocketGateway, WebSocketServer } from "@nestjs/websockets";
import { isDeepStrictEqual } from "node:util";

/** Under which keys the decorators of Nest keep what they are told. */
export interface NestKeys {
  readonly gatewayOptions: string;
  readonly port: string;
  readonly pattern: string;
  readonly server: string;
  readonly guards: string;
  readonly filters: string;
  readonly pipes: string;
  readonly interceptors: string;
}

/**
 * Finds the keys by decorating a class and looking where its values have gone: they are no part of the public interface of
 * Nest, and this way a release that changes them is told from one that does not, at load and by name.
 *
 * @throws when a decorator keeps its value in no way we know
 */
function findKeys(): NestKeys {
  class Probe {
    onProbe(): void {}
  }
  const enhancer = { canActivate: () => true, catch: () => {}, transform: () => {}, intercept: () => {} };
  const descriptor = Object.getOwnPropertyDescriptor(Probe.prototype, "onProbe") as PropertyDescriptor;
  WebSocketGateway(4321, { namespace: "plugboard-probe" })(Probe);
  SubscribeMessage("plugboard-probe-event")(Probe.prototype, "onProbe", descriptor);
  WebSocketServer()(Probe.prototype, "server");
  const keyOf = (decorator: string, target: object, value: unknown, property?: string): string => {
    const keys = property === undefined ? Reflect.getMetadataKeys(target) : Reflect.getMetadataKeys(target, property);
    const found = keys.find((key) => {
      const kept: unknown =
        property === undefined ? Reflect.getMetadata(key, target) : Reflect.getMetadata(key, target, property);
      return isDeepStrictEqual(kept, value);
    }) as string | undefined;
    if (found !== undefined) return found;
    throw new Error(
      `@plugboard/nestjs does not know this version of @nestjs/websockets: @${decorator} keeps its value where it is not ` +
        `found (SIO_NESTJS_UNKNOWN_NEST). Please report it with the versions of your @nestjs packages.`,
    );
  };
  const enhancerKeyOf = (name: string, decorate: (enhancer: never) => unknown): string => {
    class Enhanced {}
    (decorate(enhancer as never) as ClassDecorator)(Enhanced);
    return keyOf(name, Enhanced, [enhancer]);
  };
  return {
    gatewayOptions: keyOf("WebSocketGateway", Probe, { namespace: "plugboard-probe" }),
    port: keyOf("WebSocketGateway", Probe, 4321),
    pattern: keyOf("SubscribeMessage", Probe.prototype.onProbe, "plugboard-probe-event"),
    server: keyOf("WebSocketServer", Probe.prototype, true, "server"),
    guards: enhancerKeyOf("UseGuards", UseGuards),
    filters: enhancerKeyOf("UseFilters", UseFilters),
    pipes: enhancerKeyOf("UsePipes", UsePipes),
    interceptors: enhancerKeyOf("UseInterceptors", UseInterceptors),
  };
}

/** Found once, when the package is loaded. */
export const NEST_KEYS: NestKeys = findKeys();
