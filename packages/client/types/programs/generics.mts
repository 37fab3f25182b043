// Helpers that work with the sockets of any program.
import { io, type Manager, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";

interface EventMap {
  [event: string]: any;
}

export function waitFor<Listen extends EventMap, Send extends EventMap>(
  socket: Socket<Listen, Send>,
  ms: number,
): Promise<Socket<Listen, Send>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no connection")), ms);
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
    socket.once("connect_error", (error) => reject(error));
  });
}

export class Connection<Listen extends EventMap, Send extends EventMap = Listen> {
  readonly socket: Socket<Listen, Send>;
  protected readonly cleanups: Array<() => void> = [];

  constructor(url: string, options?: Partial<ManagerOptions & SocketOptions>) {
    this.socket = io(url, { ...options, forceNew: true });
  }

  get manager(): Manager<Listen, Send> {
    return this.socket.io;
  }

  onUntyped(event: string, listener: (...args: any[]) => void): void {
    const socket = this.socket as unknown as Socket;
    socket.on(event, listener);
    this.cleanups.push(() => socket.off(event, listener));
  }

  close(): void {
    for (const cleanup of this.cleanups) cleanup();
    this.socket.removeAllListeners();
    this.socket.disconnect();
  }
}

interface Game {
  start: (players: number) => void;
  move: (x: number, y: number) => void;
}

export async function play(): Promise<void> {
  const connection = new Connection<Game>("http://127.0.0.1:3000", { query: { level: 1 } });
  const socket = await waitFor(connection.socket, 1_000);
  socket.on("start", (players) => console.log(players.toFixed()));
  socket.emit("move", 1, 2);
  const any: Socket = socket;
  any.emit("anything");
  await waitFor(io(), 1);
  // @ts-expect-error a move has two coordinates
  socket.emit("move", 1);
}

// As in a table of listeners that are added and removed together.
export function listen(socket: Socket, listeners: Record<string, (...args: any[]) => void>): () => void {
  for (const [event, listener] of Object.entries(listeners)) socket.on(event, listener);
  return () => {
    for (const [event, listener] of Object.entries(listeners)) socket.off(event, listener);
  };
}

export type SocketFactory = typeof io;
export type AnySocket = ReturnType<SocketFactory>;
export type TimedSocket = ReturnType<AnySocket["timeout"]>;
export const factory: SocketFactory = io;
export const made: AnySocket = factory("/x", { multiplex: false });
