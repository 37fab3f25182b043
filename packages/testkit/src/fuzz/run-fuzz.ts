import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { FuzzInput, FuzzSession, FuzzTarget } from "./fuzz-target.js";
import { measureGrowth, type Growth } from "./growth.js";
import { Random } from "./random.js";

const BATCH = 256;
/** After these, code is compiled and caches are filled: the heap is what it will stay. */
const WARM_UP_INPUTS = 4096;
/** How much larger the heap may be after the run than after the warm-up. */
const HEAP_BOUND_BYTES = 8 * 1024 * 1024;

export interface FuzzOptions {
  readonly seed: number;
  /** Stops after so many inputs. */
  readonly inputs: number;
  /** Stops after so many seconds. */
  readonly seconds: number;
  /** Told before each input. */
  onInput?(index: number): void;
}

export interface FuzzReport {
  readonly inputs: number;
  readonly seconds: number;
  /** What came of the inputs: how often, and the first input of each kind. */
  readonly outcomes: ReadonlyMap<string, { count: number; readonly input: FuzzInput }>;
  readonly growth: readonly Growth[];
  readonly heapGrowthBytes: number;
}

/** An input that breaks the invariant of its target. */
export class FuzzFailure extends Error {
  /** Undefined when no single input brings it about. */
  readonly input: FuzzInput | undefined;

  constructor(message: string, input: FuzzInput | undefined, cause: unknown) {
    super(message, { cause });
    this.input = input;
  }
}

/** The input of this number. */
export function inputAt(target: FuzzTarget, seed: number, index: number): FuzzInput {
  return target.generate(new Random(seed, index));
}

/** Resolves when everything that was deferred has run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Feeds inputs to a target until one breaks its invariant, the number is reached or the time is over; measures, before
 * that, how cost grows with size and, after it, whether the heap is as large as before.
 *
 * @throws FuzzFailure
 */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  const watch = new EscapedErrors();
  try {
    return await new Run(target, options, watch).run();
  } finally {
    watch.stop();
  }
}

/** Errors that no caller gets to see: thrown by timers and listeners, rejections that nobody handles, pollution. */
class EscapedErrors {
  readonly #errors: unknown[] = [];
  readonly #note = (error: unknown): void => {
    this.#errors.push(error);
  };

  constructor() {
    process.on("uncaughtException", this.#note).on("unhandledRejection", this.#note);
  }

  take(): unknown {
    for (const shared of [Object.prototype, Array.prototype]) {
      if (Object.keys(shared).length > 0) this.#errors.push(new Error("a prototype was polluted"));
    }
    const first = this.#errors[0];
    this.#errors.length = 0;
    return first;
  }

  stop(): void {
    process.off("uncaughtException", this.#note).off("unhandledRejection", this.#note);
  }
}

class Run {
  readonly #target: FuzzTarget;
  readonly #options: FuzzOptions;
  readonly #escaped: EscapedErrors;
  readonly #outcomes = new Map<string, { count: number; readonly input: FuzzInput }>();

  constructor(target: FuzzTarget, options: FuzzOptions, escaped: EscapedErrors) {
    this.#target = target;
    this.#options = options;
    this.#escaped = escaped;
  }

  async run(): Promise<FuzzReport> {
    const growth = await measureGrowth(this.#target);
    const { inputs, seconds } = this.#options;
    const session = await this.#target.open();
    const start = performance.now();
    const end = start + seconds * 1000;
    let index = 0;
    let heapBefore = 0;
    while (index < inputs && performance.now() < end) {
      const next = Math.min(index + BATCH, inputs);
      await this.#runBatch(session, index, next);
      index = next;
      if (heapBefore === 0 && index >= WARM_UP_INPUTS) heapBefore = await heapBytes();
    }
    const elapsed = (performance.now() - start) / 1000;
    const heapGrowthBytes = heapBefore === 0 ? 0 : (await heapBytes()) - heapBefore;
    if (heapGrowthBytes > HEAP_BOUND_BYTES) {
      throw new FuzzFailure(`the heap grew by ${heapGrowthBytes} bytes in ${index} inputs`, undefined, undefined);
    }
    await session.close?.();
    return { inputs: index, seconds: elapsed, outcomes: this.#outcomes, growth, heapGrowthBytes };
  }

  async #runBatch(session: FuzzSession, first: number, end: number): Promise<void> {
    const { seed, onInput } = this.#options;
    for (let index = first; index < end; index++) {
      onInput?.(index);
      const input = inputAt(this.#target, seed, index);
      let outcome: string;
      try {
        const result = session.run(input);
        outcome = typeof result === "string" ? result : await result;
      } catch (error) {
        throw new FuzzFailure(`input ${index} of seed ${seed}`, input, error);
      }
      const known = this.#outcomes.get(outcome);
      if (known === undefined) this.#outcomes.set(outcome, { count: 1, input });
      else known.count++;
    }
    const error = await this.#aftermath(session);
    if (error !== undefined) throw await this.#blame(first, end, error);
  }

  /** What went wrong without anybody being told. */
  async #aftermath(session: FuzzSession): Promise<unknown> {
    await turn();
    try {
      await session.checkOthers?.();
    } catch (error) {
      return error;
    }
    return this.#escaped.take();
  }

  /** Finds out which input of a batch has done it, by running them again one by one. */
  async #blame(first: number, end: number, error: unknown): Promise<FuzzFailure> {
    const { seed } = this.#options;
    const session = await this.#target.open();
    for (let index = first; index < end; index++) {
      const input = inputAt(this.#target, seed, index);
      await session.run(input);
      const found = await this.#aftermath(session);
      if (found !== undefined) return new FuzzFailure(`input ${index} of seed ${seed}, afterwards`, input, found);
    }
    return new FuzzFailure(`inputs ${first} to ${end} of seed ${seed}, afterwards`, undefined, error);
  }
}

/** Runs one input by itself; tells what came of it. */
export async function replay(target: FuzzTarget, input: FuzzInput): Promise<string> {
  const watch = new EscapedErrors();
  try {
    const session = await target.open();
    const outcome = await session.run(input);
    await turn();
    await session.checkOthers?.();
    await session.close?.();
    const escaped = watch.take();
    if (escaped !== undefined) throw escaped;
    return outcome;
  } finally {
    watch.stop();
  }
}

async function heapBytes(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let round = 0; round < 3; round++) {
    await turn();
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
