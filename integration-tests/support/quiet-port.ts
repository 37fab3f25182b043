import { once } from "node:events";
import { createServer } from "node:net";

/**
 * A port that is free, and that no system gives to who asks for any: what restarts finds it free again. Asking for any port and
 * closing it again would not do: somebody else may be given it meanwhile.
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
