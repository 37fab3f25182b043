import { describe, expect, it } from "vitest";
import { fuzz, FuzzFailure, type FuzzInput, type FuzzTarget, inputAt, loadInput, Random, storeInput } from "./index.js";

type Run = (input: FuzzInput) => string | Promise<string>;

function targetOf(run: Run, rest: Partial<FuzzTarget> = {}): FuzzTarget {
  return {
    name: "planted",
    generate: (random) => [random.text(random.int(20))],
    growing: {},
    open: () => ({ run }),
    ...rest,
  };
}

const inputs = (count: number) => ({ seed: 1, inputs: count, seconds: Infinity });

/** The failure, which names the input. */
async function failureOf(target: FuzzTarget, count = 600): Promise<FuzzFailure> {
  const error: unknown = await fuzz(target, inputs(count)).catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(FuzzFailure);
  return error as FuzzFailure;
}

const culprit = (target: FuzzTarget): FuzzInput => inputAt(target, 1, 300);

describe("a run", () => {
  it("makes the same inputs of the same numbers, and counts their outcomes", async () => {
    const target = targetOf(([text]) => (text === "" ? "empty" : "text"));
    expect(inputAt(target, 7, 3)).toEqual(inputAt(target, 7, 3));
    expect(inputAt(target, 7, 3)).not.toEqual(inputAt(target, 7, 4));
    const report = await fuzz(target, inputs(600));
    expect(report.inputs).toBe(600);
    expect([...report.outcomes.keys()].toSorted()).toEqual(["empty", "text"]);
    expect([...report.outcomes.values()].reduce((sum, { count }) => sum + count, 0)).toBe(600);
  });

  it("ends at the first input that throws", async () => {
    const target = targetOf((input) => {
      if (input[0] === culprit(target)[0]) throw new TypeError("planted");
      return "fine";
    });
    const { input, message, cause } = await failureOf(target);
    expect([input, message, cause]).toEqual([culprit(target), "input 300 of seed 1", new TypeError("planted")]);
  });

  it("finds the input that harms others", async () => {
    let isHarmed = false;
    const target = targetOf(() => "fine", {
      open: () => {
        isHarmed = false;
        return {
          run: (input) => {
            isHarmed ||= input[0] === culprit(target)[0];
            return "fine";
          },
          checkOthers: () => {
            if (isHarmed) throw new Error("harmed");
          },
        };
      },
    });
    const { input, cause } = await failureOf(target);
    expect([input, cause]).toEqual([culprit(target), new Error("harmed")]);
  });

  it("notices a polluted prototype", async () => {
    const target = targetOf((input) => {
      (Object.prototype as Record<string, unknown>)["polluted"] = input;
      return "fine";
    });
    const { cause } = await failureOf(target, 1);
    delete (Object.prototype as Record<string, unknown>)["polluted"];
    expect(cause).toEqual(new Error("a prototype was polluted"));
  });

  it("notices memory that is never given back", async () => {
    const kept: unknown[] = [];
    const target = targetOf(() => {
      kept.push(Array.from({ length: 400 }, (_, index) => ({ index })));
      return "fine";
    });
    const { message } = await failureOf(target, 6000);
    expect(message).toMatch(/^the heap grew by/);
    expect(kept.length).toBe(6000);
  });

  it("notices cost that grows faster than size", async () => {
    const quadratic = targetOf(
      ([text]) => {
        const { length } = text as string;
        const end = performance.now() + (length / 14_336) ** 2 * 0.02;
        while (performance.now() < end);
        return "fine";
      },
      { growing: { planted: (size) => ["x".repeat(size)] } },
    );
    await expect(fuzz(quadratic, inputs(1))).rejects.toThrow(/^planted: /);
  });
});

it("stores any text and bytes", () => {
  const random = new Random(1, 1);
  const input = ["\ud800\0", random.text(50), random.bytes(50), ""];
  expect(loadInput(JSON.parse(JSON.stringify(storeInput("fine", input))) as ReturnType<typeof storeInput>)).toEqual(
    input,
  );
});
