import { Body, Controller, Post, ValidationPipe } from "@nestjs/common";
import { JwtService } from "@nestjs/jwt";
import { IsString, Length } from "class-validator";

class LoginDto {
  @IsString()
  @Length(1, 30)
  name!: string;
}

/** Stands for a login: everybody is who they say they are. */
@Controller("login")
export class LoginController {
  constructor(private readonly jwt: JwtService) {}

  @Post()
  async login(@Body(new ValidationPipe()) { name }: LoginDto) {
    return { token: await this.jwt.signAsync({ name }) };
  }
}
