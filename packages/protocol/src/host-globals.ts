/**
 * The globals that all hosts share but that are not part of ECMAScript, typed here because this package is compiled
 * against the language alone. They are looked up when used, never while a module loads: a host that lacks one only
 * misses what needs it.
 */
interface HostGlobals {
  TextEncoder: new () => { encode(text: string): Uint8Array };
  TextDecoder: new (
    encoding: "utf-8",
    options: { fatal: boolean; ignoreBOM: boolean },
  ) => { decode(bytes: Uint8Array): string };
  Blob?: new () => { readonly size: number };
}

export const hostGlobals: HostGlobals = globalThis as unknown as HostGlobals;
