// Handlers whose return value is the acknowledgement: every event is answered, whatever goes wrong.
import { createServer } from "node:http";
import { EventError, Server } from "@plugboard/server";
import { z } from "zod";
import { serve } from "./serve.js";

const stock = new Map([
  ["tea", 2],
  ["coffee", 0],
]);

const httpServer = createServer();
const io = new Server(httpServer, {
  handlerTimeout: 1000,
  // What nobody expected: for the log. The client reads "Internal server error".
  onListenerError: ({ event, error }) => console.error(`"${event}" failed: ${error}`),
});

// Errors of a library become errors that the client may read.
io.useError((error, { event }) => {
  if (error instanceof RangeError) return new EventError("OUT_OF_STOCK", error.message, { event });
});

const Order = z.object({ product: z.string().max(100), count: z.number().int().positive().default(1) });

/** A step: it runs before the handler, and refuses by throwing. */
const onlyCustomers = ({ socket }) => {
  if (!socket.handshake.auth.customer) throw new EventError("SIO_UNAUTHORIZED", "Log in first");
};

io.handle("order", onlyCustomers, Order, async ({ product, count }) => {
  const left = (stock.get(product) ?? 0) - count;
  if (left < 0) throw new RangeError(`no ${product} left`);
  stock.set(product, left);
  return { product, left };
});

io.handle("stock", () => Object.fromEntries(stock)); // a value
io.handle("touch", () => {}); // nothing: answered all the same
io.handle("bug", () => stock.nonsense()); // an exception
io.handle("hang", () => new Promise(() => {})); // never

serve(httpServer, io);
