// Stands for the test of a user, in the words of Jest, which those of Vitest are too. Their compilers emit the types that
// decorators want to know.
import "reflect-metadata";
import { Body, Controller, Injectable, Module, Post, ValidationPipe, type CanActivate } from "@nestjs/common";
import { Test } from "@nestjs/testing";
import { MessageBody, SubscribeMessage, WebSocketGateway } from "@nestjs/websockets";
import { createTestClient, InjectServer, SocketIoModule, UseConnectionGuards, WsUser } from "@plugboard/nestjs";
import { IsString, MaxLength } from "class-validator";

class SendDto {
  @IsString()
  @MaxLength(5)
  text!: string;
}

@Injectable()
class TokenGuard implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

@Injectable()
class Words {
  loud(text: string): string {
    return text.toUpperCase();
  }
}

@UseConnectionGuards(TokenGuard)
@WebSocketGateway({ namespace: "chat" })
class ChatGateway {
  constructor(private readonly words: Words) {}
  @SubscribeMessage("send")
  send(@MessageBody(new ValidationPipe()) { text }: SendDto, @WsUser("name") name: string) {
    return `${name}: ${this.words.loud(text)}`;
  }
}

@Controller()
class BroadcastController {
  constructor(@InjectServer() private readonly io: { emit(event: string, value: unknown): void }) {}
  @Post("say") say(@Body() body: unknown) {
    this.io.emit("said", body);
  }
}

@Module({
  imports: [SocketIoModule.forRoot()],
  controllers: [BroadcastController],
  providers: [Words, ChatGateway],
})
class AppModule {}

describe("a gateway", () => {
  const letIn = (isLetIn: boolean) => ({
    canActivate(context: { switchToWs(): { getClient(): { data: object } } }) {
      Object.assign(context.switchToWs().getClient().data, { user: { name: "ada" } });
      return isLetIn;
    },
  });
  const start = async (guard: CanActivate) => {
    const testing = Test.createTestingModule({ imports: [AppModule] })
      .overrideGuard(TokenGuard)
      .useValue(guard)
      .overrideProvider(Words)
      .useValue({ loud: (text: string) => `${text}!` });
    const app = (await testing.compile()).createNestApplication();
    return app.init();
  };

  it("answers, with guards and providers overridden, and without a port", async () => {
    const app = await start(letIn(true));
    const client = await createTestClient(app, "/chat");
    expect(await client.emitWithAck("send", { text: "hello" })).toBe("ada: hello!");
    expect(await client.emitWithAck("send", { text: "too long" })).toMatchObject({ code: "SIO_INVALID_PAYLOAD" });
    expect(app.getHttpServer().listening).toBe(false);
    await app.close();
    expect(client.connected).toBe(false);
  });

  it("refuses who is not let in", async () => {
    const app = await start(letIn(false));
    await expect(createTestClient(app, "/chat")).rejects.toThrow("Forbidden resource");
    await app.close();
  });
});
