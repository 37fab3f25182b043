/** Pseudo-random numbers that depend on nothing but the two numbers given: the same pair, the same sequence. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream: number) {
    this.#a = Math.imul(seed, 0x9e3779b1) ^ 0x243f6a88;
    this.#b = Math.imul(stream, 0x85ebca6b) ^ 0x85a308d3;
    this.#c = Math.imul(seed ^ stream, 0xc2b2ae35) ^ 0x13198a2e;
    for (let i = 0; i < 8; i++) this.next();
  }

  /** 32 random bits (the generator is sfc32). */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** 0 to `limit - 1`. */
  int(limit: number): number {
    return this.next() % limit;
  }

  /** 0 to `limit - 1`, small numbers far more often than large ones. */
  small(limit: number): number {
    return this.int(this.int(this.int(limit) + 1) + 1);
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.int(times) === 0;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.int(items.length)] as Item;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.next();
    return bytes;
  }

  /** Any characters at all, lone surrogates included. */
  text(length: number): string {
    const limit = this.pick([0x80, 0x100, 0x10000]);
    let text = "";
    for (let i = 0; i < length; i++) text += String.fromCharCode(this.int(limit));
    return text;
  }
}
