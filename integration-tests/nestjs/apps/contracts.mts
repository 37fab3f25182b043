/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
// Events of contracts. Prints its AsyncAPI document before it listens.
import "reflect-metadata";
import { Injectable, Module, UseGuards, UseInterceptors } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ConnectedSocket, MessageBody, WebSocketGateway } from "@nestjs/websockets";
import { defineEvents } from "@plugboard/contract";
import { Ack, MessageArg, SocketIoModule, WsEvent } from "@plugboard/nestjs";
import { map, of } from "rxjs";
import * as z from "zod";
import { createPlatform, listen } from "./platform.mjs";

const Room = z.object({ room: z.string().trim().min(1) });
const Members = z.object({ members: z.number().int() });

const contract = defineEvents({
  client: {
    "room:join": { payload: Room, ack: Members, description: "Joins a room" },
    "room:joined": { payload: Room, ack: Members },
    "room:by-hand": { payload: Room, ack: Members },
    "room:observed": { payload: Room, ack: Members },
    "room:async": { payload: Room.refine(async ({ room }) => room !== "nowhere", "no such room"), ack: Members },
    "room:guarded": { payload: Room, ack: Members },
    "room:wrapped": { payload: Room, ack: z.object({ wrapped: Members }) },
    "room:leave": { payload: Room },
    ping: { ack: z.literal("pong") },
  },
  server: { "room:opened": { payload: Room } },
});
const admin = defineEvents({ client: { "user:ban": { payload: z.string(), ack: z.null() } } });

@Injectable()
class NoGuard {
  canActivate() {
    return false;
  }
}

class WrapInterceptor {
  intercept(_context: unknown, next: any) {
    return next.handle().pipe(map((value: any) => ({ wrapped: value })));
  }
}

@WebSocketGateway()
class RoomGateway {
  // More than the schema knows: it stays here.
  @WsEvent(contract, "room:join") join(@MessageBody() body: z.output<typeof Room>) {
    return { members: body.room.length, secret: body } as any;
  }
  @WsEvent(contract, "room:joined") joined(@MessageBody("room") room: string, @MessageArg(0) all: any) {
    return room === "wrong" ? ({ members: "many" } as any) : { members: room.length + all.room.length };
  }
  @WsEvent(contract, "room:by-hand") byHand(@MessageBody() body: any, @Ack() ack: (answer: any) => void) {
    ack(body.room === "wrong" ? {} : { members: 1, secret: 1 });
  }
  @WsEvent(contract, "room:observed") observed(_client: any, body: z.output<typeof Room>) {
    return of({ members: body.room.length });
  }
  @WsEvent(contract, "room:async") async async(@MessageBody() body: any) {
    if (body.room === "full") return { status: "error", code: "FULL", message: "no seat left" } as const;
    if (body.room === "silent") return undefined as any;
    return { members: 0 };
  }
  @UseGuards(NoGuard)
  @WsEvent(contract, "room:guarded")
  guarded(): any {}
  @UseInterceptors(new WrapInterceptor())
  @WsEvent(contract, "room:wrapped")
  wrapped(@MessageBody() body: any): any {
    return { members: body.room.length };
  }
  @WsEvent(contract, "room:leave") leave(@MessageBody() body: any, @ConnectedSocket() client: any) {
    client.emit("left", body);
  }
  @WsEvent(contract, "ping") ping() {
    return "pong" as const;
  }
}

@WebSocketGateway({ namespace: "admin" })
class AdminGateway {
  @WsEvent(admin, "user:ban") ban(@MessageBody() _name: string) {
    return null;
  }
}

@Module({ imports: [SocketIoModule.forRoot()], providers: [RoomGateway, AdminGateway] })
class AppModule {}

const app: any = await NestFactory.create(AppModule, await createPlatform(process.env["PLATFORM"] ?? "express"), {
  logger: ["error"],
});
console.log(`document ${JSON.stringify(SocketIoModule.createAsyncApi(app, { title: "Rooms", version: "1.0.0" }))}`);
process.on("unhandledRejection", () => console.log("unhandledRejection"));
await listen(app);
