import { UsePipes, ValidationPipe } from "@nestjs/common";
import {
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  type OnGatewayConnection,
} from "@nestjs/websockets";
import { UseConnectionGuards, WsUser } from "@plugboard/nestjs";
import type { Namespace, Socket } from "@plugboard/server";
import { IsString, MaxLength } from "class-validator";
import { JwtGuard, type User } from "./jwt.guard.js";

class SendDto {
  @IsString()
  @MaxLength(500)
  text!: string;
}

@UseConnectionGuards(JwtGuard) // who is refused gets a connect_error
@UsePipes(new ValidationPipe({ whitelist: true }))
@WebSocketGateway({ namespace: "chat" })
export class ChatGateway implements OnGatewayConnection {
  @WebSocketServer() nsp!: Namespace;

  /** Events wait until it is over. */
  async handleConnection(socket: Socket) {
    await socket.join(`user:${(socket.data.user as User).name}`);
  }

  @SubscribeMessage("send")
  send(@MessageBody() { text }: SendDto, @WsUser("name") by: string) {
    this.nsp.emit("said", { by, text });
    return { ok: true }; // the acknowledgement; that of a bad message says what is wrong with it
  }
}
