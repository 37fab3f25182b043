import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { NEST_VERSIONS, prepareNest, startNest, type NestProcess } from "./nest-app.js";

const [{ connect, open }] = bothClients as [(typeof bothClients)[0]];

/** An event after which the client would have its answer, if there was one. */
async function isAnswered(url: string, event: string, ...args: unknown[]): Promise<boolean> {
  const client = await connect(url);
  let answered = false;
  client.emit(event, ...args, () => (answered = true));
  await client.emitWithAck("promise", 1);
  await client.emitWithAck("promise", 2);
  return answered;
}

const UNANSWERED = ["void", "throw", "ws-exception", "guarded", "reply"];

describe.each(NEST_VERSIONS)("@nestjs/platform-socket.io %s", (version) => {
  const apps: Record<string, NestProcess> = {};
  beforeAll(async () => {
    await prepareNest(version);
    apps["anchor"] = await startNest(version, "gateways", { ADAPTER: "anchor" });
    apps["compat"] = await startNest(version, "gateways", { ADAPTER: "ours", ACKS: "compat" });
    apps["ours"] = await startNest(version, "gateways", { ADAPTER: "ours" });
  });
  afterAll(() => Promise.all(Object.values(apps).map((app) => app.kill())));
  const url = (name: string): string => (apps[name] as NestProcess).url;

  it.each(UNANSWERED)(
    "never answers the acknowledgement of '%s', which we do unless acks is 'compat'",
    async (event) => {
      expect(await isAnswered(url("anchor"), event)).toBe(false);
      expect(await isAnswered(url("compat"), event)).toBe(false);
      expect(await isAnswered(url("ours"), event)).toBe(true);
    },
  );

  it("hides what a pipe says, which we do not", async () => {
    const exceptionOf = async (name: string): Promise<unknown> => {
      const client = await connect(url(name));
      client.emit("send", { text: 1 });
      return (await nextEvent(client, "exception"))[0];
    };
    expect(await exceptionOf("anchor")).toMatchObject({ message: "Internal server error" });
    expect(await exceptionOf("compat")).toMatchObject({ message: "Internal server error" });
    expect(await exceptionOf("ours")).toMatchObject({ message: expect.stringContaining("text must be a string") });
  });

  it("hands out events before handleConnection is over, which we do not", async () => {
    const answerOf = (name: string, auth = {}): Promise<unknown> =>
      open(`${url(name)}/slow`, { auth }).emitWithAck("ready", 1);
    expect(await answerOf("anchor", { hold: true })).toMatchObject({ ready: false });
    expect(await answerOf("ours")).toMatchObject({ ready: true });
  });

  it("lets what handleConnection throws become an unhandled rejection, which we do not", async () => {
    for (const name of ["anchor", "ours"]) open(`${url(name)}/slow`, { auth: { fail: true } });
    await (apps["anchor"] as NestProcess).printed("unhandledRejection");
    await nextEvent(open(`${url("ours")}/slow`, { auth: { fail: true } }), "disconnect");
    expect((apps["ours"] as NestProcess).output()).not.toContain("unhandledRejection");
  });
});
