import { socketio } from "@plugboard/fastify";
import Fastify from "fastify";
import { describe, expect, it } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { startTokenApp } from "./token-app.js";

interface Refusal extends Error {
  readonly data?: { code: string };
}

describe.each(bothClients)("ioJwt, by $name", (client) => {
  it.each(["auth", "header"])("lets in who has a token in %s", async (where) => {
    const { url, sign } = await startTokenApp();
    const token = sign({ sub: "1", name: "Ada" });
    const options = where === "auth" ? { auth: { token } } : { extraHeaders: { authorization: `Bearer ${token}` } };
    expect(await (await client.connect(url, options)).emitWithAck("who")).toBe("Ada");
  });

  it("lets in who has it in the cookie that is named, and keeps other origins out then", async () => {
    const { url, sign } = await startTokenApp({ cookie: "token" });
    const cookie = `token=${sign({ sub: "1", name: "Ada" })}`;
    expect(await (await client.connect(url, { extraHeaders: { cookie } })).emitWithAck("who")).toBe("Ada");
    const foreign = client.open(url, {
      transports: ["polling"],
      extraHeaders: { cookie, origin: "https://evil.example" },
    });
    const [error] = await nextEvent<[Error & { description: number }]>(foreign, "connect_error");
    expect(error.description).toBe(403);
  });

  it("refuses all others, with a code", async () => {
    const { url, sign } = await startTokenApp();
    const codeOf = async (auth: object): Promise<string | undefined> => {
      const [error] = await nextEvent<[Refusal]>(client.open(url, { auth: auth as never }), "connect_error");
      return error.data?.code;
    };
    expect(await codeOf({})).toBe("SIO_UNAUTHORIZED");
    expect(await codeOf({ token: "nonsense" })).toBe("SIO_UNAUTHORIZED");
    expect(await codeOf({ token: sign({ sub: "1", exp: 1 }) })).toBe("SIO_CREDENTIALS_EXPIRED");
  });

  it("ends sockets that are revoked", async () => {
    const { url, app, sign } = await startTokenApp();
    const token = sign({ sub: "1", jti: "t1" });
    const socket = await client.connect(url, { auth: { token }, reconnection: true, reconnectionDelay: 10 });
    const refused = nextEvent<[Refusal]>(socket, "connect_error");
    await app.io.revoke({ tokenId: "t1" });
    expect((await refused)[0].data?.code).toBe("SIO_CREDENTIALS_REVOKED");
  });
});

describe("ioJwt", () => {
  it("says what is missing without @fastify/jwt", async () => {
    const app = Fastify();
    await app.register(socketio);
    expect(() => app.ioJwt()).toThrow(expect.objectContaining({ code: "SIO_FASTIFY_NO_JWT" }) as Error);
    await app.close();
  });
});
