// Names of events out of an enum and out of constants.
import io from "socket.io-client";
import { Manager, Socket } from "socket.io-client";

enum Sent {
  Subscribe = "subscribe",
  Unsubscribe = "unsubscribe",
}

const Heard = { price: "price", halt: "halt" } as const;

type HeardEvents = {
  [Heard.price]: (symbol: string, price: number) => void;
  [Heard.halt]: (symbol: string) => void;
};

interface SentEvents {
  [Sent.Subscribe]: (symbols: string[], ack: (accepted: number) => void) => void;
  [Sent.Unsubscribe]: (symbols: string[]) => void;
}

export const ticker: Socket<HeardEvents, SentEvents> = io("http://127.0.0.1:3000/ticker");

const handlers: HeardEvents = {
  price: (symbol, price) => console.log(symbol, price.toFixed(2)),
  halt: (symbol) => console.log(symbol),
};

ticker.on(Heard.price, handlers.price);
ticker.on(Heard.halt, handlers.halt);
ticker.emit(Sent.Subscribe, ["A", "B"], (accepted) => console.log(accepted + 1));
ticker.emit(Sent.Unsubscribe, ["A"]);
ticker.off(Heard.price, handlers.price).off();

const plain = new Manager("http://127.0.0.1:3000").socket("/ticker");
plain.on(Heard.price, (symbol, price) => console.log(symbol, price));
plain.emit(Sent.Unsubscribe, ["A"]);

const messages: Record<Socket.DisconnectReason, string> = {
  "io server disconnect": "sent away",
  "io client disconnect": "left",
  "ping timeout": "no sign of life",
  "transport close": "closed",
  "transport error": "failed",
  "parse error": "not understood",
};
ticker.on("disconnect", (reason) => console.log(messages[reason]));

// @ts-expect-error a list is asked for
ticker.emit(Sent.Unsubscribe, "A");
// @ts-expect-error that is sent, not heard
ticker.on(Sent.Unsubscribe, () => {});
