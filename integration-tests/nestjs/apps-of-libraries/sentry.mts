/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
// Sentry as its documentation for Nest says: the global filter reports what handlers throw. Prints reports, and sends nothing.
import "reflect-metadata";
import { ForbiddenException, Module } from "@nestjs/common";
import { APP_FILTER, NestFactory } from "@nestjs/core";
import { SubscribeMessage, WebSocketGateway, WsException } from "@nestjs/websockets";
import { SocketIoModule } from "@plugboard/nestjs";
import * as Sentry from "@sentry/nestjs";
import { SentryGlobalFilter, SentryModule } from "@sentry/nestjs/setup";
import { createPlatform, listen } from "./platform.mjs";

Sentry.init({
  dsn: "https://key@sentry.invalid/1",
  beforeSend(event: any) {
    const [{ value, mechanism }] = event.exception.values;
    console.log(`reported ${value} ${mechanism.type}`);
    return null;
  },
});

@WebSocketGateway()
class OrdersGateway {
  @SubscribeMessage("fail") fail() {
    throw new Error("a defect");
  }
  @SubscribeMessage("ws") ws() {
    throw new WsException("sold out");
  }
  @SubscribeMessage("forbidden") forbidden() {
    throw new ForbiddenException("not yours");
  }
  @SubscribeMessage("echo") echo() {
    return "echo";
  }
}

@Module({
  imports: [SentryModule.forRoot(), SocketIoModule.forRoot({ globalFilters: true, globalEnhancers: true })],
  providers: [{ provide: APP_FILTER, useClass: SentryGlobalFilter }, OrdersGateway],
})
class AppModule {}

await listen(await NestFactory.create(AppModule, await createPlatform("express"), { logger: ["error"] }));
