import * as limits from "@plugboard/rate-limit";
import type {
  ConnectLimitOptions,
  EventLimitOptions,
  HandshakeLimitOptions,
  RateLimitOptions,
} from "@plugboard/rate-limit";
import type { Request } from "express";
import type { ExpressSocket } from "./types.js";

type Key = string | number | undefined;
// oxlint-disable-next-line typescript/no-explicit-any
type KeyOfSocket = (socket: ExpressSocket<any, any, any, any>) => Key;
type Named<By> = Extract<By, string>;
/** The same options, whose `by` is told what Express knows. */
type Keyed<Options extends { by?: unknown }, KeyOf> = Options extends unknown
  ? Omit<Options, "by"> & { by?: Named<Options["by"]> | KeyOf }
  : never;

// These are the functions of @plugboard/rate-limit: what they hand to `by` is of Express here.

/** {@link limits.limitHandshakes}, where `by` is given the request of Express: `(request) => request.ip`. */
export const limitHandshakes = limits.limitHandshakes as (
  io: Parameters<typeof limits.limitHandshakes>[0],
  options: Keyed<HandshakeLimitOptions, (request: Request) => Key>,
) => void;

/** {@link limits.limitConnects}, where `by` is given a socket with the request of Express. */
export const limitConnects = limits.limitConnects as (
  options: Keyed<ConnectLimitOptions, KeyOfSocket>,
) => ReturnType<typeof limits.limitConnects>;

/** {@link limits.limitEvents}, where `by` is given a socket with the request of Express. */
export const limitEvents = limits.limitEvents as (
  target: Parameters<typeof limits.limitEvents>[0],
  options: Keyed<EventLimitOptions, KeyOfSocket>,
) => void;

/** {@link limits.rateLimit}, where `by` is given a socket with the request of Express. */
export const rateLimit = limits.rateLimit as (
  options: Keyed<RateLimitOptions, KeyOfSocket>,
) => ReturnType<typeof limits.rateLimit>;
