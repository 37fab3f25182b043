import type { Socket as ServerSocket } from "@plugboard/server";
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT, type JWTPayload } from "jose";
import { describe, expect, it } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { sign, startAuthServer } from "./auth-server.js";
import { clients, open, type ConnectError } from "./clients.js";

/** The two lines that every program with JWTs has. */
const fromClaims = ({ sub = "", jti, sid, iat = 0, exp = 0 }: JWTPayload) => ({
  user: sub,
  tokenId: jti,
  session: sid as string | undefined,
  issuedAt: iat * 1000,
  expiresAt: exp * 1000,
});

describe.each(clients)("with jose, for $name", (kind) => {
  it("tokens of HS256 are taken; with another key, changed, without a signature or expired they are not", async () => {
    const { url } = await startAuthServer();
    const token = await sign();
    await nextEvent(open(kind, url, { auth: { token } }), "connect");
    const [header, payload] = token.split(".");
    const foreign = await new SignJWT({}).setProtectedHeader({ alg: "HS256" }).sign(new Uint8Array(32).fill(1));
    const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${payload}.`;
    const changed = `${header}.${Buffer.from('{"sub":"root","exp":9999999999}').toString("base64url")}.${token.split(".")[2]}`;
    const expired = await sign({ lastsMs: -1000 });
    for (const [bad, code] of [
      [foreign, "SIO_UNAUTHORIZED"],
      [unsigned, "SIO_UNAUTHORIZED"],
      [changed, "SIO_UNAUTHORIZED"],
      [expired, "SIO_CREDENTIALS_EXPIRED"],
    ]) {
      const [error] = await nextEvent<[ConnectError]>(open(kind, url, { auth: { token: bad } }), "connect_error");
      expect(error.data).toEqual({ code });
    }
  });

  it("tokens of RS256 are taken by the public keys of their issuer", async () => {
    const { publicKey, privateKey } = await generateKeyPair("RS256");
    const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "RS256" }] });
    const issuer = "https://login.example";
    const { io, url } = await startAuthServer({
      verify: async (token) => fromClaims((await jwtVerify(token, keys, { issuer, algorithms: ["RS256"] })).payload),
    });
    const signBy = (kid: string, iss: string): Promise<string> =>
      new SignJWT({ sid: "s" })
        .setProtectedHeader({ alg: "RS256", kid })
        .setIssuer(iss)
        .setSubject("ada")
        .setIssuedAt()
        .setExpirationTime("1h")
        .sign(privateKey);
    const accepted = nextEvent<[ServerSocket]>(io, "connection");
    const authorization = `Bearer ${await signBy("k1", issuer)}`;
    await nextEvent(open(kind, url, { extraHeaders: { authorization } }), "connect");
    expect((await accepted)[0].credentials).toMatchObject({ user: "ada", session: "s" });
    for (const token of [await signBy("k2", issuer), await signBy("k1", "https://evil.example"), await sign()]) {
      const [error] = await nextEvent<[ConnectError]>(open(kind, url, { auth: { token } }), "connect_error");
      expect(error.data).toEqual({ code: "SIO_UNAUTHORIZED" });
    }
  });
});
