import { Module } from "@nestjs/common";
import { ConfigModule, ConfigService } from "@nestjs/config";
import { JwtModule } from "@nestjs/jwt";
import { SocketIoModule } from "@plugboard/nestjs";
import { randomBytes } from "node:crypto";
import { ChatGateway } from "./chat.gateway.js";
import { JwtGuard } from "./jwt.guard.js";
import { LoginController } from "./login.controller.js";

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true }),
    JwtModule.registerAsync({
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        secret: config.get<string>("JWT_SECRET") ?? randomBytes(32).toString("hex"),
        signOptions: { expiresIn: "1h" },
      }),
    }),
    SocketIoModule.forRootAsync({
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({ cors: { origin: config.get<string>("WEB_ORIGIN") ?? false } }),
    }),
  ],
  controllers: [LoginController],
  providers: [ChatGateway, JwtGuard],
})
export class AppModule {}
