const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

/**
 * Makes offsets: names for the packets of a namespace, in the order in which they were sent. The time in milliseconds to
 * base 64, with `.0`, `.1`, ... added when several fall into one millisecond (spec/server.md 3.10), after a tag.
 *
 * A client takes the last argument of an event for its offset when it is a string, although it may be the user's. Ours
 * knows better: the ids of recoverable sessions end with the tag of the offsets that belong to them.
 */
export class OffsetSequence {
  readonly #tag: string;
  #last = "";
  #repeats = 0;

  /** @param tag - what all offsets begin with */
  constructor(tag: string) {
    this.#tag = tag;
  }

  /** @param now - milliseconds since 1970 */
  next(now: number): string {
    const time = this.#tag + encodeNumber(now);
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
