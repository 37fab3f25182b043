/** What has arrived, in order: ask for the next item before or after it came. */
export class Inbox<Item> {
  readonly #items: Item[] = [];
  readonly #waiting: Array<(item: Item) => void> = [];

  push(item: Item): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#items.push(item);
    else waiting(item);
  }

  next(): Promise<Item> {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift() as Item);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async take(count: number): Promise<Item[]> {
    const taken: Item[] = [];
    while (taken.length < count) taken.push(await this.next());
    return taken;
  }

  get size(): number {
    return this.#items.length;
  }
}
