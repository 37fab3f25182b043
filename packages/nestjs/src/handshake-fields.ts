import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Engine } from "@plugboard/server";

/** Fields of an answer that are about its body, its connection or its one recipient: no other answer may have them. */
const OWN_FIELDS =
  /^(connection|content-(?!security-policy).*|date|etag|keep-alive|last-modified|transfer-encoding|upgrade|retry-after|x-ratelimit-.*|ratelimit.*)$/;

/** The header fields of an answer that another one may have too, but for cookies. */
export function inheritableFields(given: OutgoingHttpHeaders): Map<string, number | string | readonly string[]> {
  const fields = new Map<string, number | string | readonly string[]>();
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && !OWN_FIELDS.test(name)) fields.set(name, value);
  }
  return fields;
}

/**
 * The header fields that the platform has given to handshakes, for the later requests of their connections: those do not pass it,
 * but without the fields of CORS a page of another origin could not read their answers.
 */
export class HandshakeFields {
  readonly #engine: Engine;
  readonly #fields = new WeakMap<IncomingMessage, ReturnType<typeof inheritableFields>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  keep(handshake: IncomingMessage, res: ServerResponse): void {
    const fields = inheritableFields(res.getHeaders());
    fields.delete("set-cookie");
    this.#fields.set(handshake, fields);
  }

  /** @param sid - of the connection that the request to be answered is for */
  give(sid: string, res: ServerResponse): void {
    const { clients } = this.#engine;
    const handshake = Object.hasOwn(clients, sid) ? clients[sid]?.request : undefined;
    const fields = handshake && this.#fields.get(handshake as IncomingMessage);
    for (const [name, value] of fields ?? []) res.setHeader(name, value);
  }
}
