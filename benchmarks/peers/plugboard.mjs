import { serveEcho } from "./serve-echo.mjs";

await serveEcho((io) => {
  io.on("connection", (socket) => {
    socket.on("echo", (payload, ack) => ack(payload));
  });
});
