import type { FastifyInstance } from "fastify";
import type { EventSchema } from "./event-types.js";
import { pluginError, type PluginError } from "./plugin-error.js";
import { validatorOf, type InvalidCode, type Validator } from "./validation.js";

interface Validators {
  readonly payload: Validator | undefined;
  readonly answer: Validator | undefined;
}

/** An event of `io.event`: where it belongs, what it is said to be, and how that is checked. */
export class DeclaredEvent {
  /** Name of its namespace, or the pattern of one. */
  readonly namespace: string;
  readonly name: string;
  readonly schema: EventSchema<unknown, unknown>;
  /** The scope where it is declared. */
  readonly instance: FastifyInstance;
  #validators: Validators | undefined = undefined;

  constructor(namespace: string, name: string, schema: EventSchema<unknown, unknown>, instance: FastifyInstance) {
    this.namespace = namespace;
    this.name = name;
    this.schema = schema;
    this.instance = instance;
  }

  /**
   * Compiles the schemas, once. To be called when all that they refer to is there; events that come before that, to a server which
   * is attached to more than Fastify, do it too.
   *
   * @throws PluginError with code `SIO_FASTIFY_INVALID_SCHEMA` or `SIO_FASTIFY_UNKNOWN_FASTIFY`
   */
  compile(): Validators {
    const { payload, ack } = this.schema;
    return (this.#validators ??= {
      payload: payload === undefined ? undefined : this.#compiled("payload", payload, "SIO_INVALID_PAYLOAD"),
      answer: ack === undefined ? undefined : this.#compiled("answer", ack, "SIO_INVALID_ACK"),
    });
  }

  #compiled(what: string, schema: unknown, code: InvalidCode): Validator {
    try {
      return validatorOf(schema, this.instance, code);
    } catch (error) {
      if ((error as Partial<PluginError> | undefined)?.code === "SIO_FASTIFY_UNKNOWN_FASTIFY") throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw pluginError(
        "SIO_FASTIFY_INVALID_SCHEMA",
        `the schema of the ${what} of the event ${JSON.stringify(this.name)} of ${this.namespace} does not compile: ${why}. ` +
          "Mend it; what it refers to has to be added by addSchema in its scope or around that, before the application is ready",
        error,
      );
    }
  }
}
