import { beforeAll, describe, expect, it } from "vitest";
import { prepareNest, typeErrors } from "./nest-app.js";

describe("the programs of these tests", () => {
  beforeAll(() => prepareNest("12"));

  it("are accepted by the compiler, with Nest 12 and our types as users get them", async () => {
    expect(await typeErrors("12")).toEqual([]);
  }, 120_000);
});
