import Fastify, { type FastifyInstance } from "fastify";
import { describe, expect, it } from "vitest";
import { DeclaredEvent } from "./declared-event.js";
import { compileInScope } from "./scope-compiler.js";

/** What a Fastify would be that keeps what is its own elsewhere. */
function without(app: FastifyInstance, description: string): FastifyInstance {
  return new Proxy(app, {
    ownKeys: (target) => Reflect.ownKeys(target).filter((key) => (key as symbol).description !== description),
    getPrototypeOf: () => null,
  });
}

describe("the compiler of a scope", () => {
  it("is that of Fastify, with the schemas of the scope", () => {
    const app = Fastify();
    app.addSchema({ $id: "n", type: "number" });
    const validate = compileInScope({ $ref: "n#" }, app);
    expect([validate(1), validate("x")]).toEqual([true, false]);
  });

  it.each(["fastify.schemaController", "fastify.options"])(
    "says which version it does not know when there is no %s, also where another compiler is there",
    (description) => {
      const app = Fastify();
      app.setValidatorCompiler(() => () => true);
      const event = new DeclaredEvent("/", "add", { payload: { type: "number" } }, without(app, description));
      expect(() => event.compile()).toThrow(
        expect.objectContaining({
          code: "SIO_FASTIFY_UNKNOWN_FASTIFY",
          message: expect.stringContaining(`Fastify ${app.version} does not have`) as unknown,
        }),
      );
    },
  );
});
