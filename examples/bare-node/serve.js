// What the programs of this folder share: listen where PORT says, and end on a signal.
/**
 * @param {import("node:http").Server} httpServer
 * @param {import("@plugboard/server").Server} io
 */
export function serve(httpServer, io) {
  httpServer.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
    console.log(`Listening on http://127.0.0.1:${httpServer.address().port}`);
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => io.close({ timeoutMs: 2000 }));
}
