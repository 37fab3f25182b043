import { socketio, type ExpressSocket } from "@plugboard/express";
import session from "express-session";
import { describe, expect, it } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { expressVersions } from "./peers.js";
import { startApp } from "./start-app.js";
import { clientKinds, Visitor } from "./visitor.js";

/** What is thrown, or what a promise rejects with. */
async function failureOf(action: () => unknown): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing failed");
}

describe.each(expressVersions)("with Express $version", (express) => {
  it("SIO_EXPRESS_INVALID_OPTION: what is no application, and what runOn cannot be", async () => {
    const app = (await express.load())();
    const expected = { name: "ExpressError", code: "SIO_EXPRESS_INVALID_OPTION" };
    for (const wrong of [undefined, {}, () => {}, "app"]) {
      expect(await failureOf(() => socketio(wrong as never))).toMatchObject(expected);
    }
    expect(await failureOf(() => socketio(app, { runOn: "never" as never }))).toMatchObject({
      ...expected,
      message: expect.stringContaining("runOn") as string,
    });
  });

  it("SIO_EXPRESS_NO_SESSION: io.session of a request without one, and of any request with session: false", async () => {
    for (const options of [{}, { session: false as const }]) {
      const { io, url } = await startApp(
        express,
        (app, io) => {
          app.get("/before", (req, res) => {
            try {
              io.session(req).emit("told");
              res.json({});
            } catch (error) {
              res.json({ code: (error as { code?: string }).code });
            }
          });
          app.use(io.middleware());
        },
        options,
      );
      expect(await (await fetch(`${url}/before`)).json()).toEqual({ code: "SIO_EXPRESS_NO_SESSION" });
      // Anything but a request has none either.
      expect(await failureOf(() => io.session({} as never))).toMatchObject({ code: "SIO_EXPRESS_NO_SESSION" });
    }
  });

  it("SIO_EXPRESS_NO_PASSPORT: refreshUser where there is none", async () => {
    const { io, url } = await startApp(express, (app, io) => {
      app.use(session({ secret: "s", resave: false, saveUninitialized: false }), io.middleware());
    });
    for (const kind of clientKinds) {
      const connected = nextEvent<[ExpressSocket]>(io, "connection");
      await new Visitor(url).connect(kind);
      const [socket] = await connected;
      expect(await failureOf(() => socket.refreshUser())).toMatchObject({ code: "SIO_EXPRESS_NO_PASSPORT" });
    }
  });
});
