import type { IncomingMessage } from "node:http";
import type { FastifyRequest } from "fastify";

const requests = new WeakMap<IncomingMessage, FastifyRequest>();

/** Remembers the request that begins a connection for as long as that is open. */
export function rememberRequest(request: FastifyRequest): void {
  requests.set(request.raw, request);
}

/** The request of Fastify for one of Node that has begun a connection; one of Fastify is given back as it is. */
export function fastifyRequestOf(request: IncomingMessage | FastifyRequest): FastifyRequest | undefined {
  return "raw" in request ? request : requests.get(request);
}
