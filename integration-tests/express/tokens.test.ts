import { jwtAuth, type ExpressServer } from "@plugboard/express";
import { describe, expect, it } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { settableClock } from "../support/settable-clock.js";
import { expressVersions, loadPeer } from "./peers.js";
import { startApp } from "./start-app.js";
import { clientKinds, stock, Visitor, type ClientKind, type ClientOptions, type Refusal } from "./visitor.js";

const SECRET = "a secret of at least thirty-two characters";

interface JsonWebToken {
  sign(payload: object, secret: string): string;
  verify(token: string, secret: string, options: object): { sub: string; jti: string; exp: number };
}

const jsonwebtoken = (): Promise<JsonWebToken> => loadPeer<JsonWebToken>("jsonwebtoken");

/** Signs tokens of Ada that live this long. */
async function signer(): Promise<(lastsMs: number, by?: string) => string> {
  const { sign } = await jsonwebtoken();
  let count = 0;
  return (lastsMs, by = SECRET) => sign({ sub: "ada", jti: `t${++count}`, exp: (Date.now() + lastsMs) / 1000 }, by);
}

/** An application whose sockets have tokens, which jsonwebtoken verifies. */
async function startWithTokens(
  express: (typeof expressVersions)[number],
  options: { refresh?: boolean; cookie?: string } = {},
): Promise<{ io: ExpressServer; url: string }> {
  const { verify } = await jsonwebtoken();
  const { io, url } = await startApp(express, (app, io) => {
    app.use(io.middleware());
    io.use(
      jwtAuth({
        verify(token) {
          const { sub, jti, exp } = verify(token, SECRET, { algorithms: ["HS256"] });
          return { user: sub, tokenId: jti, expiresAt: exp * 1000 };
        },
        ...options,
      }),
    );
    for (const namespace of ["/", "/other"]) {
      io.of(namespace).on("connection", (socket) => {
        socket.handle("who", () => socket.credentials?.user);
        socket.handle("expires", () => socket.credentials?.expiresAt);
      });
    }
  });
  return { io, url };
}

describe.each(expressVersions)("with Express $version and jsonwebtoken", (express) => {
  describe.each(clientKinds)("$name", (kind) => {
    it.each(["auth", "header", "cookie"])("gets in by a token in its %s", async (carrier) => {
      const { url } = await startWithTokens(express, carrier === "cookie" ? { cookie: "jwt" } : {});
      const token = (await signer())(60_000);
      const options: Record<string, ClientOptions> = {
        auth: { auth: { token } },
        header: { extraHeaders: { authorization: `Bearer ${token}` } },
        cookie: { extraHeaders: { cookie: `jwt=${token}` } },
      };
      const socket = await new Visitor(url).connect(kind, options[carrier]!);
      expect(await socket.emitWithAck("who")).toBe("ada");
    });

    it("is refused in every namespace without a good token, hears why, and stays away", async () => {
      const { url } = await startWithTokens(express);
      const sign = await signer();
      const tokens: [auth: object, code: string][] = [
        [{}, "SIO_UNAUTHORIZED"],
        [{ token: sign(60_000, "another secret") }, "SIO_UNAUTHORIZED"],
        [{ token: sign(-60_000) }, "SIO_CREDENTIALS_EXPIRED"],
      ];
      for (const path of ["/", "/other"]) {
        for (const [auth, code] of tokens) {
          const socket = new Visitor(url + path).open(kind, { auth });
          const [error] = await nextEvent<[Refusal]>(socket, "connect_error");
          expect(error.data).toEqual({ code });
          expect(socket.active).toBe(false);
        }
      }
    });

    it("is ended when its token is revoked, and refused with it", async () => {
      const { io, url } = await startWithTokens(express);
      const token = (await signer())(60_000);
      const socket = await new Visitor(url).connect(kind, { auth: { token } });
      const ended = nextEvent(socket, "disconnect");
      const refused = nextEvent<[Refusal]>(socket, "connect_error");
      await io.revoke({ tokenId: "t1" });
      expect((await ended)[0]).toBe("transport close");
      expect((await refused)[0].data).toEqual({ code: "SIO_CREDENTIALS_REVOKED" });
    });
  });
});

/** Life of the first token of each client; when half of it is over, clients are asked for another. */
const LIFE_MS = 18_000;

/** A client that has a new token for each time it is asked, and what it does when its first one is about to end. */
async function outlivesItsToken(
  kind: ClientKind,
  url: string,
  by: "renewal" | "coming back",
): Promise<() => Promise<void>> {
  const sign = await signer();
  const later = Date.now() + 2 * LIFE_MS;
  let asked = 0;
  const auth = (answer: (auth: object) => void): void => answer({ token: sign(++asked === 1 ? LIFE_MS : 4 * LIFE_MS) });
  const socket = new Visitor(url).open(kind, { auth });
  await nextEvent(socket, "connect");
  const { id } = socket;
  const expires = (): Promise<number> => socket.emitWithAck("expires") as Promise<number>;
  expect(await expires()).toBeLessThan(later);
  const lost = by === "renewal" ? undefined : nextEvent(socket, "disconnect");
  return async () => {
    if (lost === undefined) {
      await expect.poll(expires, { timeout: 10_000 }).toBeGreaterThan(later);
      expect(socket.id).toBe(id);
    } else {
      expect((await lost)[0]).toBe("transport close");
      await nextEvent(socket, "connect");
      expect(socket.id).not.toBe(id);
      expect(await expires()).toBeGreaterThan(later);
    }
    expect(await socket.emitWithAck("who")).toBe("ada");
    expect(asked).toBe(2);
  };
}

it("before the token expires our client renews on its connection if refresh says so; all others come back with a new one", async () => {
  const setForward = settableClock();
  const renewing: Promise<() => Promise<void>>[] = [];
  const returning: Promise<() => Promise<void>>[] = [];
  for (const express of expressVersions) {
    for (const refresh of [true, false]) {
      const { url } = await startWithTokens(express, { refresh });
      for (const kind of clientKinds) {
        if (refresh && kind.io !== stock) renewing.push(outlivesItsToken(kind, url, "renewal"));
        else returning.push(outlivesItsToken(kind, url, "coming back"));
      }
    }
  }
  const [renew, comeBack] = [await Promise.all(renewing), await Promise.all(returning)];
  setForward(LIFE_MS / 2);
  await Promise.all(renew.map((each) => each()));
  const back = comeBack.map((each) => each());
  setForward(LIFE_MS / 2);
  await Promise.all(back);
});
