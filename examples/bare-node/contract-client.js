// The other end of contract.js: node contract-client.js http://127.0.0.1:3000
import { io } from "@plugboard/client"; // or "socket.io-client"
import { contractClient } from "@plugboard/contract";
import { contract } from "./todo-contract.js";

const socket = io(process.argv[2] ?? "http://127.0.0.1:3000", { ackTimeout: 5000 });
const todos = contractClient(socket, contract);

todos.on("todo:added", ({ title }) => console.log(`somebody added ${title}`));

const { id } = await todos.emitWithAck("todo:add", { title: " Buy tea ", due: "2030-01-01T12:00:00Z" });
console.log(`added ${id}`);

for (const { title, due } of await todos.emitWithAck("todo:list")) {
  console.log(`to do: ${title}, until ${due ?? "whenever"}`);
}

try {
  await todos.emitWithAck("todo:add", { title: "" });
} catch (error) {
  console.log(error.code, "at", error.data.issues[0].path.join("."));
}
socket.disconnect();
