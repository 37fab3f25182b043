// One contract types, validates and documents the events of both ends. The other end: contract-client.js
import { createServer } from "node:http";
import { asyncApi } from "@plugboard/contract";
import { EventError, Server, useContract } from "@plugboard/server";
import { serve } from "./serve.js";
import { contract } from "./todo-contract.js";

const todos = [];

const document = asyncApi(contract, { title: "Todos", version: "1.0.0" });
const httpServer = createServer((request, response) => {
  if (request.url !== "/asyncapi.json") return response.writeHead(404).end();
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(document));
});

// From here on `io` knows its events, and lets no other in or out.
const io = useContract(new Server(httpServer), contract);

io.handle("todo:add", (payload, { socket }) => {
  if (todos.length === 100) throw new EventError("TOO_MANY_TODOS", "do something first");
  const todo = { id: todos.length + 1, ...payload, createdBy: socket.id };
  todos.push(todo);
  socket.broadcast.emit("todo:added", todo); // without `createdBy`, of which the contract says nothing
  return { id: todo.id };
});

io.handle("todo:list", () => todos);

serve(httpServer, io);
