import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { enginePath } from "../support/raw-connection.js";
import { nextEvent } from "../support/next-event.js";
import { bothClients } from "../support/both-clients.js";

const script = fileURLToPath(new URL("../../examples/bare-node/rate-limits.js", import.meta.url));

describe.each(bothClients)("the example, with $name", (client) => {
  it("limits handshakes, joining, events and a handler, and ends when it is told to", async () => {
    const child = spawn(process.execPath, [script], { env: { ...process.env, PORT: "0" } });
    onTestFinished(() => void child.kill("SIGKILL"));
    const exited = once(child, "exit");
    const [greeting] = (await once(child.stdout, "data")) as [Buffer];
    const url = /http:\/\/localhost:\d+/.exec(greeting.toString())![0];

    const limited = expect.objectContaining({ status: "error", code: "SIO_RATE_LIMITED" }) as object;
    const ada = await client.connect(url, { auth: { user: "ada" } });
    const bob = await client.connect(url, { auth: { user: "bob" } });
    const answers: unknown[] = [];
    for (let count = 0; count < 6; count++) answers.push(await ada.emitWithAck("chat:send", `hello ${count}`));
    expect(answers).toEqual([...Array(5).fill({ status: "ok" }), limited]);
    expect(await ada.emitWithAck("export")).toEqual({ status: "ok", rows: 3 });
    expect(await ada.emitWithAck("export")).toEqual(limited);
    expect(await bob.emitWithAck("export")).toEqual({ status: "ok", rows: 3 });

    for (let count = 0; count < 4; count++) await client.connect(url, { auth: { user: "ada" } });
    const [error] = await nextEvent<[{ data?: unknown }]>(client.open(url, { auth: { user: "ada" } }), "connect_error");
    expect(error.data).toMatchObject({ code: "SIO_RATE_LIMITED" });

    const statuses: number[] = [];
    while (statuses.at(-1) !== 429 && statuses.length < 20) {
      statuses.push((await fetch(url + enginePath("polling"))).status);
    }
    // Seven handshakes came before.
    expect(statuses).toEqual([...Array(13).fill(200), 429]);

    child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
  });
});
