// Classes that extend those of the client, and members that a program adds to them.
import { io, Manager, type ManagerOptions, Socket, type SocketOptions } from "socket.io-client";

declare module "socket.io-client" {
  interface Socket {
    user?: { name: string };
  }
}

interface Events {
  hello: (name: string) => void;
}

export class Session extends Socket<Events> {
  readonly startedAt = Date.now();

  constructor(manager: Manager, options?: Partial<SocketOptions>) {
    super(manager, "/session", options);
  }

  override disconnect(): this {
    console.log(Date.now() - this.startedAt);
    return super.disconnect();
  }
}

export class Cluster extends Manager {
  private readonly sessions = new Map<string, Socket>();

  constructor(url: string, options: Partial<ManagerOptions> = {}) {
    super(url, { ...options, autoConnect: false });
  }

  override socket(name: string, options?: Partial<SocketOptions>): Socket {
    const socket = super.socket(name, options);
    this.sessions.set(name, socket);
    return socket;
  }
}

const socket = io();
socket.user = { name: "x" };
console.log(socket.user.name, new Session(new Cluster("http://127.0.0.1:3000")).emit("hello", "x").startedAt);
console.log(socket instanceof Socket, socket.io instanceof Manager);
