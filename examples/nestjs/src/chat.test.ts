import "reflect-metadata";
import { JwtService } from "@nestjs/jwt";
import { Test } from "@nestjs/testing";
import { createTestClient } from "@plugboard/nestjs";
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import type { INestApplication } from "@nestjs/common";
import { AppModule } from "./app.module.js";

let app: INestApplication;

before(async () => {
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
  app = module.createNestApplication({ logger: false });
});
after(() => app.close());

it("tells everybody in the chat what somebody says", async () => {
  const [ada, bob] = await Promise.all(
    ["ada", "bob"].map(async (name) => {
      const token = await app.get(JwtService, { strict: false }).signAsync({ name });
      return createTestClient(app, "/chat", { auth: { token } });
    }),
  );
  const said = new Promise((resolve) => bob!.on("said", resolve));
  assert.deepEqual(await ada!.emitWithAck("send", { text: "hello" }), { ok: true });
  assert.deepEqual(await said, { by: "ada", text: "hello" });
});

it("refuses who has no token", async () => {
  await assert.rejects(createTestClient(app, "/chat"), /log in first/);
});
