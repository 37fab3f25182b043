import "reflect-metadata";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer } from "@nestjs/websockets";
import { BROADCAST_EVENT } from "../broadcast-event.mjs";
import { servePeer } from "../serve-peer.mjs";

/**
 * A gateway of NestJS as a peer.
 *
 * @param {string} version
 * @param {object} options of the gateway, besides those that all peers have
 * @param {(app: import("@nestjs/common").INestApplication) => void} install chooses the adapter
 */
export function serveGateway(version, options, install) {
  class EchoGateway {
    echo(payload) {
      return payload;
    }
  }
  const { prototype } = EchoGateway;
  WebSocketServer()(prototype, "io");
  MessageBody()(prototype, "echo", 0);
  SubscribeMessage("echo")(prototype, "echo", Object.getOwnPropertyDescriptor(prototype, "echo"));
  WebSocketGateway({ transports: ["websocket"], perMessageDeflate: false, serveClient: false, ...options })(
    EchoGateway,
  );
  class AppModule {}
  Module({ providers: [EchoGateway] })(AppModule);

  return servePeer({
    dialect: "socket.io",
    version,
    async attach() {
      const app = await NestFactory.create(AppModule, { logger: ["error"] });
      install(app);
      await app.init();
      const gateway = app.get(EchoGateway);
      return { httpServer: app.getHttpServer(), broadcast: () => gateway.io.emit(...BROADCAST_EVENT) };
    },
  });
}
