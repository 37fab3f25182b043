import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { httpRequestContract, MemoryRequest } from "@plugboard/testkit";
import { afterEach } from "vitest";
import { NodeHttpRequest } from "./node-http-request.js";

const closers: Array<() => void> = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

httpRequestContract("Node's http", async ({ method, url, headers, body, isSlow }) => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const arrived = once(server, "request") as Promise<[IncomingMessage, ServerResponse]>;
  const { port } = server.address() as AddressInfo;
  const client = httpRequest({
    port,
    host: "127.0.0.1",
    method,
    path: url,
    headers: { ...headers, "transfer-encoding": "chunked" },
  });
  client.on("error", () => {});
  if (body !== "") client.write(body);
  else client.flushHeaders();
  if (!isSlow) client.end();
  const [req, res] = await arrived;
  closers.push(
    () => client.destroy(),
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return {
    request: new NodeHttpRequest(req, res),
    finishBody: () => client.end(),
    goAway: () => client.destroy(),
  };
});

httpRequestContract("the request in memory", ({ method, url, headers, body, isSlow }) => {
  const request = new MemoryRequest(url, { method, headers, body, isSlow });
  return Promise.resolve({ request, finishBody: () => request.finishBody(), goAway: () => request.goAway() });
});
