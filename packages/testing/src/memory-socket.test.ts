import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { socketPairContract, type SocketPair } from "@plugboard/testkit";
import { onTestFinished } from "vitest";
import { MemoryAgent } from "./memory-agent.js";

async function tcpPair(): Promise<SocketPair> {
  const listener = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  onTestFinished(() => void listener.close());
  await once(listener, "listening");
  const accepted = once(listener, "connection") as Promise<[Socket]>;
  const client = connect((listener.address() as AddressInfo).port, "127.0.0.1");
  await once(client, "connect");
  const [server] = await accepted;
  return { client, server };
}

async function memoryPair(): Promise<SocketPair> {
  const httpServer = createHttpServer().removeAllListeners("connection");
  const accepted = once(httpServer, "connection") as Promise<[Socket]>;
  const client = new MemoryAgent(httpServer).createConnection({}) as Socket;
  const [server] = await accepted;
  return { client, server };
}

// What TCP does is the measure: a test that fails there is wrong.
socketPairContract("TCP", tcpPair);
socketPairContract("memory", memoryPair);
