type Handler = () => void;

interface Page {
  addEventListener?(event: string, handler: Handler): void;
  removeEventListener?(event: string, handler: Handler): void;
}

const page = globalThis as unknown as Page;
const whenOffline = new Set<Handler>();

// Service workers hear only listeners that were there when their script first ran, so there is one, from the start.
page.addEventListener?.("offline", () => {
  for (const handler of whenOffline) handler();
});

/** Calls back when the host loses its network. Returns what takes the handler away again. */
export function onOffline(handler: Handler): Handler {
  whenOffline.add(handler);
  return () => whenOffline.delete(handler);
}

/** Calls back when the page is about to be left. Returns what takes the handler away again. */
export function onBeforeUnload(handler: Handler): Handler {
  page.addEventListener?.("beforeunload", handler);
  return () => page.removeEventListener?.("beforeunload", handler);
}
