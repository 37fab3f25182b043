/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
// Hot reloading of an application on its own port, as the documentation of Nest has it: nobody waits for the one before to close.
import "reflect-metadata";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { SubscribeMessage, WebSocketGateway } from "@nestjs/websockets";
import { SocketIoModule } from "@plugboard/nestjs";
import { createPlatform } from "./platform.mjs";

const { PLATFORM = "express" } = process.env;

let port = 0;
let endHandler = (): void => {};

/** The entry of the program, which is loaded anew with each change. */
async function bootstrap(generation: number): Promise<void> {
  @WebSocketGateway()
  class ReloadedGateway {
    @SubscribeMessage("generation") generation() {
      return generation;
    }
    @SubscribeMessage("work") work() {
      console.log("handler works");
      return new Promise<void>((resolve) => (endHandler = resolve));
    }
    @SubscribeMessage("reload") reload() {
      setImmediate(() => {
        void app.close().then(() => console.log(`generation ${generation} is closed`));
        void bootstrap(generation + 1);
      });
    }
  }
  @Module({ imports: [SocketIoModule.forRoot({ hmr: true })], providers: [ReloadedGateway] })
  class AppModule {}
  const app: any = await NestFactory.create(AppModule, await createPlatform(PLATFORM), { logger: ["error"] });
  await app.listen(port, "127.0.0.1");
  ({ port } = app.getHttpServer().address());
  console.log(`generation ${generation} serves`);
  if (generation > 1) endHandler();
}

await bootstrap(1);
console.log(`listening http://127.0.0.1:${port}`);
