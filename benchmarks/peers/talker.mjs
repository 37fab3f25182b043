import { PAYLOAD } from "../load/dialects.mjs";

/** Events that one turn of the loop sends: a burst, as from a loop in a program. */
const EVENTS_PER_TURN = 100;

/** What the servers of the client benchmarks do, whatever implements them. @param {import("socket.io").Server} io */
export function talk(io) {
  io.on("connection", (socket) => {
    let heard = 0;
    socket.on("echo", (payload, ack) => ack(payload));
    socket.on("news", () => heard++);
    socket.on("heard", (ack) => ack(heard));
    // Clients ask for a stream in portions, so that the server is never far ahead of them.
    socket.on("stream", (count) => {
      let sent = 0;
      const sendSome = () => {
        const until = Math.min(count, sent + EVENTS_PER_TURN);
        for (; sent < until; sent++) socket.emit("news", PAYLOAD);
        if (sent < count) setImmediate(sendSome);
      };
      sendSome();
    });
  });
  return { broadcast() {} };
}
