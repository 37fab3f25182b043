import { jwtAuth, type ExpressServer, type SocketioOptions } from "@plugboard/express";
import { afterEach, describe, expect, it, vi } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { expressVersions, loadPeer } from "./peers.js";
import { startApp, type Setup } from "./start-app.js";
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
  ioOptions: SocketioOptions = {},
): Promise<{ io: ExpressServer; url: string }> {
  const { verify } = await jsonwebtoken();
  const setup: Setup = (app, io) => {
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
  };
  const { io, url } = await startApp(express, setup, ioOptions);
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

describe("a token that is about to expire", () => {
  afterEach(() => void vi.useRealTimers());

  /** How long the first token of each client lives; it is asked for another half a minute before that. Milliseconds. */
  const LIFE = 60_000;

  it("is renewed by our client on its connection if refresh says so; all others come back with a new one", async () => {
    vi.useFakeTimers({
      toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"],
      shouldAdvanceTime: true,
    });
    const sign = await signer();
    const later = Date.now() + 2 * LIFE;

    /** A client that has a new token each time it is asked. */
    async function outlivesItsToken(kind: ClientKind, url: string, isRenewed: boolean) {
      let asked = 0;
      const auth = (answer: (auth: object) => void): void => answer({ token: sign(++asked === 1 ? LIFE : 10 * LIFE) });
      const socket = await new Visitor(url).connect(kind, { auth });
      const { id } = socket;
      const expires = (): Promise<number> => socket.emitWithAck("expires") as Promise<number>;
      expect(await expires()).toBeLessThan(later);
      return {
        async whenAsked() {
          if (isRenewed) await expect.poll(expires).toBeGreaterThan(later);
        },
        async whenOver() {
          if (!isRenewed) {
            expect((await nextEvent(socket, "disconnect"))[0]).toBe("transport close");
            await nextEvent(socket, "connect");
          }
          expect(await expires()).toBeGreaterThan(later);
          expect(await socket.emitWithAck("who")).toBe("ada");
          expect([socket.id === id, asked]).toEqual([isRenewed, 2]);
        },
      };
    }

    const all = expressVersions.flatMap((express) =>
      [true, false].map(async (refresh) => {
        // So that no heartbeat is missed when the clock leaps.
        const { url } = await startWithTokens(express, { refresh }, { pingInterval: 10 * LIFE });
        return Promise.all(clientKinds.map((kind) => outlivesItsToken(kind, url, refresh && kind.io !== stock)));
      }),
    );
    const clients = (await Promise.all(all)).flat();
    vi.advanceTimersByTime(LIFE / 2 + 1000);
    await Promise.all(clients.map((client) => client.whenAsked()));
    const over = Promise.all(clients.map((client) => client.whenOver()));
    vi.advanceTimersByTime(LIFE / 2);
    await over;
  });
});
