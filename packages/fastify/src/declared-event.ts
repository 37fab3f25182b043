import type { FastifyInstance } from "fastify";
import type { EventSchema } from "./event-types.js";
import { pluginError } from "./plugin-error.js";
import { validatorOf, type Validator } from "./validation.js";

/** An event of `io.event`: where it belongs, what it is said to be, and how that is checked. */
export class DeclaredEvent {
  /** Name of its namespace, or the pattern of one. */
  readonly namespace: string;
  readonly name: string;
  readonly schema: EventSchema<unknown, unknown>;
  /** The scope where it is declared. */
  readonly instance: FastifyInstance;
  #payload: Validator | undefined = undefined;
  #answer: Validator | undefined = undefined;

  constructor(namespace: string, name: string, schema: EventSchema<unknown, unknown>, instance: FastifyInstance) {
    this.namespace = namespace;
    this.name = name;
    this.schema = schema;
    this.instance = instance;
  }

  /** Of the first argument. */
  get payload(): Validator | undefined {
    return this.#payload;
  }

  get answer(): Validator | undefined {
    return this.#answer;
  }

  /**
   * To be called when all that schemas refer to is there.
   *
   * @throws PluginError with code `SIO_FASTIFY_INVALID_SCHEMA`
   */
  compile(): void {
    const { payload, ack } = this.schema;
    if (payload !== undefined) {
      this.#payload = this.#compiled("payload", () => validatorOf(payload, this.instance, "SIO_INVALID_PAYLOAD"));
    }
    if (ack !== undefined) {
      this.#answer = this.#compiled("answer", () => validatorOf(ack, this.instance, "SIO_INVALID_ACK"));
    }
  }

  #compiled(what: string, compile: () => Validator): Validator {
    try {
      return compile();
    } catch (error) {
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
