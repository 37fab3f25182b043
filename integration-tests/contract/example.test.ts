import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { startExample } from "../support/example-process.js";
import { nextEvent } from "../support/next-event.js";

const clientProgram = fileURLToPath(new URL("../../examples/bare-node/contract-client.js", import.meta.url));

describe("the example of a contract", () => {
  it.each(bothClients)("holds for $name, which knows nothing of it", async ({ connect }) => {
    const example = await startExample("bare-node/contract.js");
    const [ada, bob] = [await connect(example.url), await connect(example.url)];
    const added = nextEvent(bob, "todo:added");
    expect(await ada.emitWithAck("todo:add", { title: " Buy tea ", owner: "bob" })).toEqual({ id: 1 });
    expect(await added).toEqual([{ id: 1, title: "Buy tea" }]);
    expect(await bob.emitWithAck("todo:list")).toEqual([{ id: 1, title: "Buy tea" }]);
    expect(await ada.emitWithAck("todo:add", { title: "Sell tea", due: "soon" })).toMatchObject({
      status: "error",
      code: "SIO_INVALID_PAYLOAD",
      data: { issues: [{ path: ["due"] }] },
    });
    expect(await ada.emitWithAck("todo:drop")).toMatchObject({ status: "error", code: "SIO_UNKNOWN_EVENT" });
    expect(await example.stop()).toBe(0);
  });

  it("holds for the program at its other end, which knows it", async () => {
    const example = await startExample("bare-node/contract.js");
    const { stdout } = await promisify(execFile)(process.execPath, [clientProgram, example.url]);
    expect(stdout.split("\n")).toEqual([
      "added 1",
      "to do: Buy tea, until 2030-01-01T12:00:00Z",
      "SIO_INVALID_PAYLOAD at title",
      "",
    ]);
  });

  it("serves its document", async () => {
    const example = await startExample("bare-node/contract.js");
    const document = (await (await fetch(`${example.url}/asyncapi.json`)).json()) as { operations: object };
    expect(Object.keys(document.operations)).toEqual([
      "receive.main.todo_add",
      "receive.main.todo_list",
      "send.main.todo_added",
    ]);
  });
});
