// A chat with event maps shared by client and server.
import { io, type Socket } from "socket.io-client";

interface Message {
  id: number;
  author: string;
  text: string;
  attachment?: Uint8Array;
}

interface ServerToClientEvents {
  "chat:message": (message: Message) => void;
  "chat:typing": (author: string, typing: boolean) => void;
  "room:members": (room: string, members: string[]) => void;
  kicked: () => void;
}

interface ClientToServerEvents {
  "chat:send": (
    text: string,
    ack: (result: { ok: true; message: Message } | { ok: false; reason: string }) => void,
  ) => void;
  "chat:typing": (typing: boolean) => void;
  "room:join": (room: string, ack?: (members: string[]) => void) => void;
}

type ChatSocket = Socket<ServerToClientEvents, ClientToServerEvents>;

export class Chat {
  readonly messages: Message[] = [];
  private readonly socket: ChatSocket;
  private lastReason: Socket.DisconnectReason | undefined = undefined;

  constructor(url: string | undefined, token: () => Promise<string>) {
    this.socket = io(url, {
      transports: ["websocket", "polling"],
      auth: async (cb) => cb({ token: await token() }),
      reconnectionDelayMax: 10_000,
      autoConnect: false,
    });
    this.socket.on("connect", () => {
      if (!this.socket.recovered) this.messages.length = 0;
      this.socket.emit("room:join", "lobby");
    });
    this.socket.on("connect_error", (error) => {
      if (this.socket.active) return;
      console.error(error.message, error.data?.code);
    });
    this.socket.on("disconnect", (reason, details) => {
      this.lastReason = reason;
      if (reason === "io server disconnect") this.socket.connect();
      if (details instanceof Error) console.error(details.message);
      else if (details) console.error(details.description, details.context);
    });
    this.socket.on("chat:message", this.onMessage);
    this.socket.on("chat:typing", (author, typing) => console.log(author.toUpperCase(), typing ? "types" : "pauses"));
    this.socket.once("kicked", async () => {
      await Promise.resolve();
      this.socket.disconnect();
    });
    this.socket.onAny((event, ...args) => console.log(event, args.length));
    this.socket.io.on("reconnect_attempt", (attempt) => console.log(attempt.toFixed()));
    this.socket.connect();
  }

  get state(): string {
    const { connected, disconnected, id } = this.socket;
    return connected && !disconnected ? `on as ${id?.slice(0, 4)}` : `off: ${this.lastReason}`;
  }

  typing(on: boolean): void {
    this.socket.volatile.compress(false).emit("chat:typing", on);
  }

  say(text: string): void {
    this.socket.timeout(5_000).emit("chat:send", text, (error, result) => {
      if (error) console.error(error.message);
      else if (result.ok) this.messages.push(result.message);
      else console.error(result.reason);
    });
  }

  async sayAndWait(text: string): Promise<Message> {
    const result = await this.socket.emitWithAck("chat:send", text);
    if (!result.ok) throw new Error(result.reason);
    return result.message;
  }

  stop(): void {
    this.socket.off("chat:message", this.onMessage);
    this.socket.offAny().removeAllListeners("chat:typing").close();
  }

  private readonly onMessage = (message: Message): void => {
    this.messages.push(message);
  };
}

const wrong: ChatSocket = io();
// @ts-expect-error the server sends that, the client does not
wrong.emit("room:members", "lobby", []);
// @ts-expect-error the client sends that, the server does not
wrong.on("chat:send", () => {});
// @ts-expect-error there is no such event
wrong.emit("chat:sned", "x");
// @ts-expect-error an answer is expected
wrong.emit("chat:send", "x");
// @ts-expect-error a room is a string
wrong.emit("room:join", 1);
// @ts-expect-error connect gives nothing
wrong.on("connect", (value: string) => console.log(value));
