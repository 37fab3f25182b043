import { SERVER_OPTION_NAMES, unknownOption, type ServerOptions } from "@plugboard/server";
import { MAX_TIMER_MS } from "./event-deadline.js";
import { invalidOption } from "./nestjs-error.js";
import type { AckOptions, RateLimits, ShutdownOptions, SocketIoOptions } from "./options.js";
import type { SessionOptions } from "./shared-sessions.js";

/** @throws NestjsError with code `SIO_NESTJS_INVALID_OPTION` for a value that there is not */
type Rule = (name: string, value: unknown) => void;

/** Values that a test tells. */
function values(wanted: string, isOne: (value: unknown) => boolean): Rule {
  return (name, value) => {
    if (value !== undefined && !isOne(value))
      throw invalidOption(`${name} has to be ${wanted}, and is ${shown(value)}`);
  };
}

const oneOf = (...words: string[]): Rule => values(quoted(words), (value) => words.includes(value as string));
const flag = values("true or false", (value) => typeof value === "boolean");
const callable = values("a function", (value) => typeof value === "function");
const time = values("a number of milliseconds, or 0 for no limit", (value) => typeof value === "number" && value >= 0);
const shortTime = values(
  `a number of milliseconds up to ${MAX_TIMER_MS}`,
  (value) => typeof value === "number" && value >= 0 && value <= MAX_TIMER_MS,
);
const isCount = (from: number) => (value: unknown) =>
  typeof value === "number" && value >= from && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY);
const anything: Rule = () => {};

/** An object with these members and no others, or one of the other values. */
function members(rules: Readonly<Record<string, Rule>>, others: readonly unknown[] = []): Rule {
  return (name, value) => {
    if (value === undefined || others.includes(value)) return;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      const wanted = ["an object of options", ...others.map(shown)].join(" or ");
      throw invalidOption(`${name} has to be ${wanted}, and is ${shown(value)}`);
    }
    const mistake = unknownOption(name, value, Object.keys(rules));
    if (mistake !== undefined) throw invalidOption(mistake);
    for (const [member, rule] of Object.entries(rules)) {
      rule(`${name}.${member}`, (value as Record<string, unknown>)[member]);
    }
  };
}

// What points and durations may be, `@plugboard/rate-limit` says.
const limit = { points: anything, duration: anything, limiter: anything, onLimiterError: oneOf("allow", "refuse") };

function byOf(...words: string[]): Rule {
  return values(
    `${quoted(words)} or a function`,
    (value) => words.includes(value as string) || typeof value === "function",
  );
}

const OWN_RULES: Readonly<Record<string, Rule>> = {
  acks: members(
    {
      errors: oneOf("ack", "event", "both"),
      observable: oneOf("first", "last", "all"),
      format: callable,
    } satisfies Record<keyof AckOptions, Rule>,
    ["compat"],
  ),
  mapHttpExceptions: flag,
  includeCause: flag,
  awaitConnection: flag,
  connectionTimeout: time,
  maxWaitingEvents: values("a whole number from 0 on", isCount(0)),
  handshake: oneOf("app", "direct"),
  connectionGuards: oneOf("own", "class"),
  globalEnhancers: flag,
  globalFilters: flag,
  session: members(
    {
      onEnd: oneOf("rehandshake", "disconnect", "ignore"),
      touchEveryMs: time,
      revalidateEveryMs: time,
      turnTimeoutMs: time,
      maxWaiting: values("a whole number from 0 on", isCount(0)),
      takesTurn: callable,
    } satisfies Record<keyof SessionOptions, Rule>,
    [false],
  ),
  shutdown: members({
    timeout: shortTime,
    phase: oneOf("dispose", "moduleDestroy", "beforeShutdown"),
  } satisfies Record<keyof ShutdownOptions, Rule>),
  concurrency: checkConcurrencyOf,
  unknownEvents: oneOf("ignore", "ack-error"),
  rateLimit: members({
    handshake: members({ ...limit, by: byOf("address") }),
    events: members({
      ...limit,
      by: byOf("socket", "user", "address"),
      events: anything,
      onLimit: oneOf("refuse", "disconnect"),
    }),
  } satisfies Record<keyof RateLimits, Rule>),
  hmr: flag,
} satisfies Record<Exclude<keyof SocketIoOptions, keyof ServerOptions>, Rule>;

const number = values("a number", (value) => typeof value === "number" && value >= 0);

/** What goes wrong later, or in silence, when programs take it from their environment, which knows texts alone. */
const SERVER_RULES: Readonly<Record<string, Rule>> = {
  path: values('a path such as "/socket.io"', (value) => typeof value === "string" && value.startsWith("/")),
  adapter: callable,
  transports: values('an array such as ["websocket"]', Array.isArray),
  handlerTimeout: time,
  connectTimeout: number,
  maxHttpBufferSize: number,
  pingInterval: number,
  pingTimeout: number,
  upgradeTimeout: number,
} satisfies Partial<Record<keyof ServerOptions, Rule>>;

const FEATURE_RULES: Readonly<Record<string, Rule>> = {
  namespace: values("a name or a pattern", (value) => typeof value === "string" || value instanceof RegExp),
  middleware: (name, value) => values("an array of classes", Array.isArray)(name, value ?? null),
  imports: values("an array of modules", Array.isArray),
};

const OPTION_NAMES = [...Object.keys(OWN_RULES), ...SERVER_OPTION_NAMES];
const ASYNC_SOURCES = ["useFactory", "useClass", "useExisting"];
const ASYNC_EXTRAS = ["inject", "imports", "provideInjectionTokensFrom", "isGlobal"];
const GATEWAY_OPTION_NAMES = ["namespace", ...SERVER_OPTION_NAMES];

/**
 * Refuses options that there are not, and values of ours that there are not: with a mistyped `rateLimit` there would be none.
 *
 * @throws NestjsError with code `SIO_NESTJS_INVALID_OPTION`
 */
export function checkOptions(options: object): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw invalidOption(`the options of @plugboard/nestjs have to be an object, and are ${shown(options)}`);
  }
  const mistake = unknownOption("@plugboard/nestjs", options, OPTION_NAMES);
  if (mistake !== undefined) throw invalidOption(mistake);
  const given = options as Record<string, unknown>;
  for (const [name, rule] of Object.entries({ ...OWN_RULES, ...SERVER_RULES })) rule(name, given[name]);
}

/**
 * Of `forRoot`, where what is looked at later has its place too.
 *
 * @throws NestjsError with code `SIO_NESTJS_INVALID_OPTION`
 */
export function checkExtras({ isGlobal }: { readonly isGlobal?: unknown }): void {
  flag("isGlobal", isGlobal);
}

/**
 * Of `forFeature`: with a mistyped `namespace` middlewares would let everybody into that.
 *
 * @throws NestjsError with code `SIO_NESTJS_INVALID_OPTION`
 */
export function checkFeature(feature: object): void {
  members(FEATURE_RULES)("forFeature", feature);
}

/**
 * Of `forRootAsync`, where options of the server may be put by mistake.
 *
 * @throws NestjsError with code `SIO_NESTJS_INVALID_OPTION`
 */
export function checkAsyncOptions(options: object): void {
  const misplaced = Object.keys(options).find((name) => OPTION_NAMES.includes(name));
  if (misplaced !== undefined) {
    throw invalidOption(`the option "${misplaced}" of forRootAsync belongs to what useFactory returns`);
  }
  const mistake = unknownOption("forRootAsync", options, [...ASYNC_SOURCES, ...ASYNC_EXTRAS]);
  if (mistake !== undefined) throw invalidOption(mistake);
  if (Object.keys(options).some((name) => ASYNC_SOURCES.includes(name))) return;
  throw invalidOption(`forRootAsync needs one of ${ASYNC_SOURCES.join(", ")}`);
}

/** @throws NestjsError with code `SIO_NESTJS_INVALID_OPTION` unless it is a whole number from 1 on, or infinite */
export function checkConcurrency(limit: number): void {
  checkConcurrencyOf("concurrency", limit);
}

function checkConcurrencyOf(name: string, limit: unknown): void {
  values("a whole number from 1 on", isCount(1))(name, limit);
}

/** @throws NestjsError with code `SIO_NESTJS_INVALID_OPTION` unless it is a number of milliseconds */
export function checkTime(name: string, timeMs: number): void {
  time(name, timeMs);
}

/**
 * What is wrong with the names of the options that `@WebSocketGateway()` was given. To be told and not thrown: gateways run as they are,
 * and other adapters have been silent about it.
 */
export function mistakeOfGateway(name: string, options: object): string | undefined {
  const ours = Object.keys(options).find((each) => each in OWN_RULES);
  if (ours !== undefined) {
    return `the option "${ours}" of ${name} does nothing: it goes to SocketIoModule.forRoot() or new SocketIoAdapter(app, options)`;
  }
  const mistake = unknownOption(name, options, GATEWAY_OPTION_NAMES);
  return mistake === undefined ? undefined : `${mistake}: it does nothing`;
}

function quoted(words: readonly string[]): string {
  return words.map((word) => JSON.stringify(word)).join(" or ");
}

function shown(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
