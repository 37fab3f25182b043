import { socketio, type JwtOptions, type SocketioOptions } from "@plugboard/fastify";
import Fastify, { type FastifyInstance } from "fastify";
import { loadPeer } from "./peers.js";
import { listen } from "./start-app.js";

interface WithJwt {
  readonly jwt: { sign(claims: object, options?: object): string };
}

/** An application with `@fastify/jwt` and `ioJwt`; the event `who` answers with the claim `name`. */
export async function startTokenApp(
  options: JwtOptions = {},
  socketioOptions: SocketioOptions = {},
): Promise<{ url: string; app: FastifyInstance; sign: WithJwt["jwt"]["sign"] }> {
  const app = Fastify();
  await app.register(await loadPeer("@fastify/jwt"), { secret: "a secret of the test" });
  await app.register(socketio, socketioOptions);
  const jwt = app.ioJwt(options);
  app.io.event("who", (_payload, { socket }) => jwt.of(socket as never).claims["name"]);
  const { url } = await listen(app);
  const { jwt: signer } = app as unknown as WithJwt;
  return { url, app, sign: (claims, given) => signer.sign(claims, given) };
}
