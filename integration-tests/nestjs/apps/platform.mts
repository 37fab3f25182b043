/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
import { createRequire } from "node:module";

/** The HTTP adapter of a Nest application. */
export async function createPlatform(name: string, fastifyOptions: object = {}): Promise<any> {
  if (name === "fastify") {
    const { FastifyAdapter } = await import("@nestjs/platform-fastify");
    return new FastifyAdapter(fastifyOptions);
  }
  const { ExpressAdapter } = await import("@nestjs/platform-express");
  return new ExpressAdapter();
}

export const require: NodeJS.Require = createRequire(import.meta.url);

/** Says where it listens, and ends on SIGTERM as an application does. */
export async function listen(app: any): Promise<void> {
  app.enableShutdownHooks();
  await app.listen(0, "127.0.0.1");
  console.log(`listening http://127.0.0.1:${app.getHttpServer().address().port}`);
}
