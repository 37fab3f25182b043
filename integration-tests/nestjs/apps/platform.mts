/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
import dns from "node:dns";
import { createRequire } from "node:module";

/**
 * The HTTP adapter of a Nest application.
 *
 * @param fastifyOptions - for Fastify alone
 */
export async function createPlatform(name: string, fastifyOptions: object = {}): Promise<any> {
  if (name === "fastify") {
    const { FastifyAdapter } = await import("@nestjs/platform-fastify");
    return new FastifyAdapter(fastifyOptions);
  }
  const { ExpressAdapter } = await import("@nestjs/platform-express");
  return new ExpressAdapter();
}

export const require: NodeJS.Require = createRequire(import.meta.url);

/** From now on `localhost` is two addresses, which not every container has. */
export function haveBothAddressesOfLocalhost(): void {
  const { lookup } = dns;
  (dns as any).lookup = (host: string, options: any, done: any) => {
    if (host !== "localhost" || typeof options !== "object") return lookup(host, options, done);
    const address = "127.0.0.1";
    return options.all
      ? done(null, [
          { address, family: 4 },
          { address: "::1", family: 6 },
        ])
      : done(null, address, 4);
  };
}

/** Where an application listens. */
export function urlOf(app: any): string {
  return `http://127.0.0.1:${app.getHttpServer().address().port}`;
}

/** Says where it listens, and ends on SIGTERM as an application does. */
export async function listen(app: any): Promise<void> {
  app.enableShutdownHooks();
  await app.listen(0, "127.0.0.1");
  console.log(`listening ${urlOf(app)}`);
}
