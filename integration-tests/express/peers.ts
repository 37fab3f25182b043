import express5, { type RequestHandler } from "express";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { beforeAll } from "vitest";
import { installLocked } from "../support/install-locked.js";

const folder = fileURLToPath(new URL("./peers/", import.meta.url));
const requirePeer = createRequire(new URL("./peers/package.json", import.meta.url));

// In no test: no time that one may take is enough for an installation on a slow machine.
beforeAll(() => installLocked(folder));

/** Modules of `peers`, which have no types here. For tests and hooks: what loads this file installs them first. */
export async function loadPeer<Module = (options?: object) => RequestHandler>(name: string): Promise<Module> {
  return requirePeer(name) as Module;
}

/** What is used of `passport`. */
export interface Passport {
  use(strategy: object): void;
  serializeUser(write: (user: User, done: (error: unknown, id: string) => void) => void): void;
  deserializeUser(read: (id: string, done: (error: unknown, user?: User | false) => void) => void): void;
  session(): RequestHandler;
  authenticate(name: string, options?: object): RequestHandler;
}
export interface User {
  readonly id: string;
  name?: string;
}

/** A passport of its own, with users by id; whoever gives a known name is let in. */
export async function passportOf(users: Map<string, User>): Promise<Passport> {
  const { Passport } = await loadPeer<{ Passport: new () => Passport }>("passport");
  const { Strategy } = await loadPeer<{ Strategy: new (verify: (...args: never[]) => void) => object }>(
    "passport-local",
  );
  const passport = new Passport();
  passport.use(
    new Strategy((name: string, password: string, done: (error: unknown, user: User | false) => void) => {
      done(null, (password === "secret" && users.get(name)) || false);
    }),
  );
  passport.serializeUser((user, done) => done(null, user.id));
  passport.deserializeUser((id, done) => done(null, users.get(id) ?? false));
  return passport;
}

/** The versions of Express that are supported. */
export const expressVersions: readonly { version: string; load(): Promise<typeof express5> }[] = [
  { version: "4", load: () => loadPeer<typeof express5>("express-4") },
  { version: "5", load: () => Promise.resolve(express5) },
];
