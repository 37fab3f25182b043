import { once } from "node:events";
import { connect, createServer, type ClientHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Engine, type Session } from "./index.js";

const closers: Array<() => void> = [];
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

async function request(
  client: ClientHttp2Session,
  path: string,
  body?: string,
): Promise<{ status: number; body: string }> {
  const stream = client.request({ ":path": path, ":method": body === undefined ? "GET" : "POST" });
  stream.end(body);
  stream.setEncoding("utf8");
  const answered = once(stream, "response");
  let text = "";
  stream.on("data", (chunk: string) => (text += chunk));
  const ended = once(stream, "end");
  const [headers] = (await answered) as [{ ":status": number }];
  await ended;
  return { status: headers[":status"], body: text };
}

describe("polling over HTTP/2", () => {
  it("opens a session, carries messages both ways and ends with the poll that is dropped", async () => {
    const server = createServer();
    const engine = new Engine();
    engine.attach(server as never);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    closers.push(
      () => server.close(),
      () => client.close(),
      () => engine.close(),
    );
    const connected = once(engine, "connection");
    const path = "/engine.io/?EIO=4&transport=polling";
    const opened = await request(client, path);
    const { sid } = JSON.parse(opened.body.slice(1)) as { sid: string };
    const [session] = (await connected) as [Session];
    expect(session.remoteAddress).toBe("127.0.0.1");
    session.on("message", (data: string) => session.send(data + "!"));
    const poll = request(client, `${path}&sid=${sid}`);
    expect(await request(client, `${path}&sid=${sid}`, "4hello")).toEqual({ status: 200, body: "ok" });
    expect(await poll).toEqual({ status: 200, body: "4hello!" });
    const closed = once(session, "close");
    const dropped = client.request({ ":path": `${path}&sid=${sid}` });
    dropped.on("error", () => {});
    const isPending = (): Promise<void> =>
      session.transport.writable ? Promise.resolve() : new Promise((resolve) => setImmediate(resolve)).then(isPending);
    await isPending();
    dropped.close(8);
    expect((await closed)[0]).toBe("transport error");
  });
});
