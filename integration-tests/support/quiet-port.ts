import { once } from "node:events";
import { createServer } from "node:net";

/**
 * A port at which nobody listens, and which no system gives to who asks for any: it stays free, and whoever listens there and
 * restarts finds it free again. One that was got by asking for any may be given to somebody else meanwhile.
 */
export async function quietPort(): Promise<number> {
  for (;;) {
    // Below the range of ports that are given to who asks for any, on every system, and none that `fetch` refuses.
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    const probe = createServer().listen(port, "127.0.0.1");
    const isFree = await once(probe, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    probe.close();
    await once(probe, "close");
    return port;
  }
}
