// A program that the compiler of a user checks, strictly, with the declarations of our package.
import "reflect-metadata";
import { Injectable, Module, UseGuards, type CanActivate, type ExecutionContext } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import {
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  type OnGatewayInit,
} from "@nestjs/websockets";
import { defineEvents, type PayloadOf, type StandardSchema } from "@plugboard/contract";
import {
  Ack,
  createTestClient,
  InjectNamespace,
  InjectServer,
  MessageArg,
  SocketIoAdapter,
  SocketIoHealthIndicator,
  SocketIoModule,
  SocketMiddleware,
  UseConnectionGuards,
  WsData,
  WsEvent,
  WsEventName,
  WsParam,
  WsSession,
  WsUser,
  type SocketIoOptions,
  type SocketMiddlewareClass,
} from "@plugboard/nestjs";
import type { Namespace, Server, Socket } from "@plugboard/server";
import { of, type Observable } from "rxjs";

interface User {
  readonly name: string;
}
interface Said {
  said: (text: string) => void;
}
type ChatSocket = Socket<Record<string, never>, Said, Record<string, never>, { user: User }>;

declare const Room: StandardSchema<{ room: string }>;
declare const Members: StandardSchema<{ members: number }>;
const contract = defineEvents({
  client: { join: { payload: Room, ack: Members }, leave: { payload: Room }, ping: { ack: Members } },
});
type Join = PayloadOf<typeof contract, "client", "join">;

@Injectable()
class TokenGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToWs().getClient<ChatSocket>().handshake.auth["token"] === "secret";
  }
}

@Injectable()
class Stamp implements SocketMiddlewareClass {
  use(socket: Socket, next: (error?: Error) => void): void {
    socket.data.stamp = 1;
    next();
  }
}

@UseConnectionGuards(TokenGuard)
@SocketMiddleware(Stamp)
@WebSocketGateway({ namespace: "/room-:id" })
class RoomGateway
  implements OnGatewayInit<Namespace>, OnGatewayConnection<ChatSocket>, OnGatewayDisconnect<ChatSocket>
{
  @WebSocketServer() nsp!: Namespace<Record<string, never>, Said>;

  constructor(
    @InjectServer() readonly io: Server,
    @InjectNamespace("chat") readonly chat: Namespace,
  ) {}

  afterInit(nsp: Namespace): void {
    nsp.setMaxListeners(20);
  }
  async handleConnection(socket: ChatSocket): Promise<void> {
    await socket.join(socket.data.user.name);
  }
  handleDisconnect(socket: ChatSocket): void {
    this.io.emit("left", socket.id);
  }

  @UseGuards(TokenGuard)
  @SubscribeMessage("say")
  say(
    @MessageBody() text: string,
    @MessageArg(1) more: number,
    @WsUser("name") name: string,
    @WsSession() session: unknown,
    @WsParam("id") id: string,
    @WsData() data: object,
    @WsEventName() event: string,
    @Ack() ack: (answer: string) => void,
  ): void {
    this.nsp.emit("said", text);
    ack([more, name, session, id, data, event].join());
  }

  @WsEvent(contract, "join") join(@MessageBody() body: Join): { members: number } {
    return { members: body.room.length };
  }
  @WsEvent(contract, "join") member(
    @WsUser() _user: User,
    @MessageBody("room") room: string,
  ): Promise<{ members: number }> {
    return Promise.resolve({ members: room.length });
  }
  @WsEvent(contract, "join") observed(): Observable<{ members: number }> {
    return of({ members: 1 });
  }
  @WsEvent(contract, "join") event(@MessageBody() _body: Join): { event: string; data: { members: number } } {
    return { event: "joined", data: { members: 1 } };
  }
  @WsEvent(contract, "join") byHand(
    @MessageBody() _body: Join,
    @Ack() ack: (answer: { members: number }) => void,
  ): void {
    ack({ members: 1 });
  }
  @WsEvent(contract, "join") refusing(@MessageBody() body: Join) {
    if (body.room === "") return { status: "error", code: "FULL", message: "no seat" } as const;
    return { members: 1 };
  }
  @WsEvent(contract, "leave") leave(@MessageBody() _body: Join): void {}
  @WsEvent(contract, "ping") ping(socket: Socket): { members: number } {
    return { members: socket.rooms.size };
  }

  // @ts-expect-error -- no parameter takes the payload
  @WsEvent(contract, "join") wrongBody(@MessageBody() body: { rooms: string[] }): { members: number } {
    return { members: body.rooms.length };
  }
  // @ts-expect-error -- not the answer
  @WsEvent(contract, "join") wrongAnswer(@MessageBody() _body: Join): { count: number } {
    return { count: 1 };
  }
  // @ts-expect-error -- no answer
  @WsEvent(contract, "join") noAnswer(@MessageBody() _body: Join): void {}
  // @ts-expect-error -- no event of the contract
  @WsEvent(contract, "jion") misspelt(): void {}
}

const options: SocketIoOptions = {
  cors: { origin: true },
  acks: {
    errors: "both",
    observable: "last",
    format: (error, answer, { socket }) => ({ error, answer, id: socket.id }),
  },
  shutdown: { timeout: 1, phase: "moduleDestroy" },
};

@Module({
  imports: [
    SocketIoModule.forRootAsync({ useFactory: () => options, isGlobal: false }),
    SocketIoModule.forRoot(options),
  ],
  providers: [RoomGateway],
})
class AppModule {}

export async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule);
  app.useWebSocketAdapter(new SocketIoAdapter(app, options));
  const client = await createTestClient<Said>(app, "/room-1", { auth: { token: "secret" } });
  client.on("said", (text) => console.log(text.length));
  const document = SocketIoModule.createAsyncApi(app, { title: "Rooms", version: "1.0.0" });
  const { socketIo } = app.get(SocketIoHealthIndicator).isHealthy("socketIo", { maxConnections: 10 });
  console.log(document.asyncapi, socketIo?.status);
  await app.close();
}
