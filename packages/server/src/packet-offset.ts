const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

/**
 * Makes offsets: names for the packets of a namespace, in the order in which they were sent. The time in milliseconds to
 * base 64, with `.0`, `.1`, ... added when several fall into one millisecond (spec/server.md 3.10).
 */
export class OffsetSequence {
  #last = "";
  #repeats = 0;

  /** @param now - milliseconds since 1970 */
  next(now: number): string {
    const time = encodeNumber(now);
    if (time !== this.#last) {
      this.#last = time;
      this.#repeats = 0;
      return time;
    }
    return `${time}.${encodeNumber(this.#repeats++)}`;
  }
}

function encodeNumber(value: number): string {
  let text = "";
  let rest = value;
  do {
    text = ALPHABET.charAt(rest % 64) + text;
    rest = Math.floor(rest / 64);
  } while (rest > 0);
  return text;
}
