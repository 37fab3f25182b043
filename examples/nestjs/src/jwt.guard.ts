import { Injectable, UnauthorizedException, type CanActivate, type ExecutionContext } from "@nestjs/common";
import { JwtService } from "@nestjs/jwt";
import type { Socket } from "@plugboard/server";

export interface User {
  name: string;
}

/** Lets in who brings a token in `auth`, and notes who that is. */
@Injectable()
export class JwtGuard implements CanActivate {
  constructor(private readonly jwt: JwtService) {}

  async canActivate(context: ExecutionContext) {
    const socket: Socket = context.switchToWs().getClient();
    try {
      socket.data.user = await this.jwt.verifyAsync<User>(String(socket.handshake.auth.token));
      return true;
    } catch {
      throw new UnauthorizedException("log in first");
    }
  }
}
