import { Inbox } from "./inbox.js";

/** The first argument of every event of this name, from now on. */
export function eventInbox<Item>(
  emitter: { on(event: string, listener: (item: Item) => void): unknown },
  event: string,
): Inbox<Item> {
  const inbox = new Inbox<Item>();
  emitter.on(event, (item) => inbox.push(item));
  return inbox;
}
