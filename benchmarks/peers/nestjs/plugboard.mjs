import { createRequire } from "node:module";
import { serveGateway } from "./serve-gateway.mjs";
import { useCheckout } from "./use-checkout.mjs";

await useCheckout();
const { SocketIoAdapter } = await import("@plugboard/nestjs");
const { version } = createRequire(import.meta.url)("@plugboard/nestjs/package.json");

// All load comes from one address.
await serveGateway(version, { maxHandshakesPerSecond: Infinity }, (app) =>
  app.useWebSocketAdapter(new SocketIoAdapter(app)),
);
