/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
// Gateways with the decorators of nestjs-asyncapi. Prints its document.
import "reflect-metadata";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ApiProperty } from "@nestjs/swagger";
import { MessageBody, SubscribeMessage, WebSocketGateway } from "@nestjs/websockets";
import { Serial, SocketIoModule } from "@plugboard/nestjs";
import { createRequire } from "node:module";
import { createPlatform, listen } from "./platform.mjs";

const { AsyncApi, AsyncApiDocumentBuilder, AsyncApiModule, AsyncApiReceive, AsyncApiSend } = createRequire(
  import.meta.url,
)("nestjs-asyncapi");

class CatDto {
  @ApiProperty() name!: string;
}

@AsyncApi()
@Serial()
@WebSocketGateway({ namespace: "cats" })
class CatsGateway {
  handleConnection() {}
  @SubscribeMessage("cat:create")
  @AsyncApiReceive({ channel: "cat:create", message: { payload: CatDto } })
  @AsyncApiSend({ channel: "cat:created", message: { payload: CatDto } })
  create(@MessageBody() cat: CatDto) {
    return cat.name;
  }
}

@Module({ imports: [SocketIoModule.forRoot()], providers: [CatsGateway] })
class AppModule {}

const app = await NestFactory.create(AppModule, await createPlatform("express"), { logger: ["error"] });
const options = new AsyncApiDocumentBuilder()
  .setTitle("Cats")
  .setVersion("1.0")
  .setDefaultContentType("application/json")
  .addServer("ws", { host: "localhost", protocol: "socket.io" })
  .build();
console.log(`document ${JSON.stringify(AsyncApiModule.createDocument(app, options))}`);
await listen(app);
