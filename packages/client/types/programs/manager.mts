// The connection under the sockets.
import {
  type DisconnectDescription,
  Fetch,
  Manager,
  type ManagerOptions,
  type ManagerReservedEvents,
  NodeWebSocket,
  NodeXHR,
  protocol,
  type Socket,
  type SocketReservedEvents,
  WebSocket,
  WebTransport,
  XHR,
} from "socket.io-client";

const options: Partial<ManagerOptions> = {
  reconnectionAttempts: Infinity,
  randomizationFactor: 0.2,
  timeout: 3_000,
  tryAllTransports: true,
  transportOptions: { polling: { extraHeaders: { a: "b" } } },
  perMessageDeflate: { threshold: 512 },
  rejectUnauthorized: false,
  withCredentials: true,
};

export const manager = new Manager("http://127.0.0.1:3000", options);
export const typed = new Manager<{ hello: () => void }, { bye: () => void }>({ ...options, autoConnect: false });

manager.on("open", () => {
  const { engine } = manager;
  console.log(engine.id, engine.transport.name, engine.readyState === "open", engine.writeBuffer.length);
  engine.binaryType = "arraybuffer";
  engine.once("upgrade", (transport) => console.log(transport.name));
  engine.on("packet", ({ type, data }) => console.log(type, data));
  engine.on("packetCreate", ({ type, data }) => console.log(type, data));
  engine.on("drain", () => {});
  engine.on("close", (reason, description) => console.log(reason, description));
});
manager.on("packet", ({ type, nsp, data, id }) => console.log(type === 2, nsp, data[0], id));
manager.on("close", (reason: string, details?: DisconnectDescription) => console.log(reason, details));
manager.once("reconnect", (attempt) => console.log(attempt.toFixed()));
manager.on("reconnect_error", (error) => console.error(error.message));
manager.on("error", (error) => {
  manager.opts.transports = ["polling", "websocket"];
  manager.opts.query = { last: error.message };
});

manager.reconnection(true).reconnectionAttempts(3).reconnectionDelay(10).reconnectionDelayMax(20).timeout(false);
console.log(manager.reconnectionDelay().toFixed(), manager.reconnection() === true, protocol.toFixed());
manager.open((error) => console.error(error?.message)).connect();

export const main: Socket = manager.socket("/");
export const admin: Socket<{ hello: () => void }> = typed.socket("/admin", { auth: { token: "x" } });
main.auth = { token: "y" };
main.io.engine.close();
console.log(main.sendBuffer.length, main.receiveBuffer.length, main.listeners("connect").length);
console.log(manager._readyState === "closed", manager._reconnecting, main.hasListeners("anything"));

new Manager({ transports: [Fetch, WebSocket, WebTransport] });
new Manager({ transportImplementations: [NodeXHR, NodeWebSocket] });
new Manager({ transports: [XHR] });

export const onReconnect: ManagerReservedEvents["reconnect"] = (attempt) => console.log(attempt);
export const onDisconnect: SocketReservedEvents["disconnect"] = (reason) => console.log(reason);

// @ts-expect-error events of sockets are not those of their manager
manager.on("connect", () => {});
// @ts-expect-error there is no such option
new Manager({ reconnections: true });
