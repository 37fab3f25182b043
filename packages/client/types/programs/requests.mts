// Requests and responses: one generic event that carries them all, with retries.
import { connect, type ManagerOptions, type SocketOptions } from "socket.io-client";
import type { Socket } from "socket.io-client";

interface Api {
  "user.get": { params: { id: string }; result: { id: string; name: string } };
  "user.rename": { params: { id: string; name: string }; result: null };
  "file.read": { params: { path: string }; result: Uint8Array };
}

type Response<Result> = { result: Result } | { error: { code: number; message: string } };

type Requests = {
  [Method in keyof Api]: (
    params: Api[Method]["params"],
    respond: (response: Response<Api[Method]["result"]>) => void,
  ) => void;
};

interface Notifications {
  changed: (what: keyof Api, ...ids: string[]) => void;
}

const options: Partial<ManagerOptions & SocketOptions> = {
  path: "/rpc/",
  query: { version: 2 },
  extraHeaders: { "x-client": "requests" },
  retries: 3,
  ackTimeout: 2_000,
  auth: { token: "secret" },
};

const socket: Socket<Notifications, Requests> = connect("http://127.0.0.1:3000/rpc", options);

export async function getUser(id: string): Promise<string> {
  const response = await socket.emitWithAck("user.get", { id });
  if ("error" in response) throw new Error(`${response.error.code}: ${response.error.message}`);
  return response.result.name;
}

export function rename(id: string, name: string, done: (error?: Error) => void): void {
  socket.timeout(1_000).emit("user.rename", { id, name }, (error, response) => {
    if (error) return done(error);
    done("error" in response ? new Error(response.error.message) : undefined);
  });
}

export async function readAll(paths: string[]): Promise<number> {
  const responses = await Promise.all(paths.map((path) => socket.timeout(500).emitWithAck("file.read", { path })));
  return responses.length;
}

socket.on("changed", (what, ...ids) => console.log(what.length, ids.join()));

export async function untyped(plain: Socket): Promise<void> {
  const answer = await plain.timeout(1_000).emitWithAck("anything", 1, { two: 2 });
  console.log(answer.whatever);
  plain.emit("anything", (first: number, second: string) => console.log(first, second));
  plain.on("request", (params: { id: string }, respond: (name: string) => void) => respond(params.id));
  plain.send("text", new Uint8Array(2), (ok: boolean) => console.log(ok));
}

// @ts-expect-error parameters of another method
void socket.emitWithAck("user.get", { path: "/" });
