import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { bothClients, type StockOrOurs } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { NEST_VERSIONS, prepareNest, startNest, type NestProcess } from "./nest-app.js";

const [{ connect, open }] = bothClients as [StockOrOurs];
type Adapter = "anchor" | "ours";

/** What becomes of a client: `connect`, or `connect_error` with what it is told. */
async function outcome(url: string): Promise<unknown> {
  const client = open(url);
  const refused = nextEvent<[Error]>(client, "connect_error").then(([error]) => error.message);
  return Promise.race([nextEvent(client, "connect").then(() => "connect"), refused]);
}

describe.each(NEST_VERSIONS)("@nestjs/platform-socket.io %s, beside ours,", (version) => {
  const apps = {} as Record<Adapter, NestProcess>;
  beforeAll(async () => {
    await prepareNest(version);
    const started = await Promise.all(
      (["anchor", "ours"] as const).map((ADAPTER) => startNest(version, "comparison", { ADAPTER })),
    );
    [apps.anchor, apps.ours] = started as [NestProcess, NestProcess];
  });
  afterAll(() => Promise.all(Object.values(apps).map((app) => app.kill())));

  /** One of its own, for a test that ends it. */
  async function start(ADAPTER: Adapter, name: string, env: Record<string, string> = {}): Promise<NestProcess> {
    const app = await startNest(version, name, { ADAPTER, ...env });
    onTestFinished(() => app.kill());
    return app;
  }

  /** The same question to both. */
  async function both<Answer>(ask: (app: NestProcess) => Promise<Answer>): Promise<Record<Adapter, Answer>> {
    const [anchor, ours] = await Promise.all([ask(apps.anchor), ask(apps.ours)]);
    return { anchor, ours };
  }

  const exceptionOf = (event: string) =>
    both(async ({ url }) => {
      const client = await connect(url);
      client.emit(event, "what I sent");
      return (await nextEvent(client, "exception"))[0];
    });

  it("does not ask guards at connect", async () => {
    const { anchor, ours } = await both(({ url }) => outcome(`${url}/guarded`));
    expect(anchor).toBe("connect");
    expect(ours).toBe("Forbidden resource");
  });

  it.each([
    ["handleConnection rejects", "rejecting"],
    ["handleDisconnect throws", "leaving"],
  ])("dies when %s", async (_, namespace) => {
    const visit = async (url: string): Promise<void> => {
      const client = open(`${url}/${namespace}`);
      await nextEvent(client, "connect");
      client.disconnect();
    };
    const anchor = await start("anchor", "comparison");
    await visit(anchor.url);
    await anchor.printed(`${namespace === "leaving" ? "handleDisconnect" : "handleConnection"} failed`);
    await expect(anchor.printed("what it never prints")).rejects.toThrow("ended");

    const { ours } = apps;
    await visit(ours.url);
    await ours.printed(`${namespace === "leaving" ? "handleDisconnect" : "handleConnection"} failed`);
    expect(await (await connect(ours.url)).emitWithAck("ping")).toBe("pong");
  });

  it("says nothing of what an HttpException says", async () => {
    const { anchor, ours } = await exceptionOf("missing");
    expect(anchor).toMatchObject({ message: "Internal server error" });
    expect(ours).toMatchObject({ message: "no such thing", code: "SIO_NOT_FOUND" });
  });

  // Nest 10 does not do it yet.
  if (version !== "10") {
    it("sends back what the client has sent", async () => {
      const { anchor, ours } = await exceptionOf("refuse");
      expect(anchor).toMatchObject({ message: "no", cause: { data: "what I sent" } });
      expect(ours).toEqual({ status: "error", code: "SIO_EVENT_ERROR", message: "no" });
    });
  }

  it("leaves global filters out", async () => {
    const { anchor, ours } = await exceptionOf("range");
    expect(anchor).toMatchObject({ message: "Internal server error" });
    expect(ours).toEqual({ message: "caught by the global filter" });
  });

  it("has one of two gateways with the same pattern of namespaces miss its events", async () => {
    const { anchor, ours } = await both(async ({ url }) => {
      const client = await connect(`${url}/room-1`);
      const answers: unknown[] = [];
      for (const event of ["first", "second"]) client.emit(event, (answer: unknown) => answers.push(answer));
      // Answered by another connection: all that was going to be answered has been.
      const other = await connect(url);
      for (let i = 0; i < 3; i++) await other.emitWithAck("ping");
      return answers;
    });
    expect(anchor).toHaveLength(1);
    expect(ours).toEqual(["first", "second"]);
  });

  it("adds a listener for each gateway of a namespace, until Node warns", async () => {
    const { anchor, ours } = await both(async (app) => {
      const client = await connect(`${app.url}/many`);
      expect(await client.emitWithAck("many-13")).toBe(13);
      return { app, listeners: await client.emitWithAck("listeners") };
    });
    await anchor.app.printed("MaxListenersExceededWarning");
    expect(ours.app.output()).not.toContain("MaxListenersExceededWarning");
    // For "connection" of the namespace; for "disconnect" and two events of the socket.
    expect(anchor.listeners).toEqual([14, expect.any(Number), 14, 1]);
    expect(ours.listeners).toEqual([1, 1, 1, 1]);
  });

  it("starts with gateways that contradict each other", async () => {
    await start("anchor", "lifecycle", { CASE: "conflict" });
    await expect(start("ours", "lifecycle", { CASE: "conflict" })).rejects.toThrow("SIO_NESTJS_CONFLICTING_OPTIONS");
  });

  it("ends before handlers and handleDisconnect have", async () => {
    const app = await start("anchor", "lifecycle");
    const client = await connect(app.url);
    client.emit("slow");
    await app.printed("handler begins");
    await app.stop();
    // Ours: lifecycle.test.ts.
    const lines = app.output().split("\n");
    const last = lines.indexOf("onApplicationShutdown");
    expect(last).toBeGreaterThan(0);
    expect(lines.slice(0, last)).not.toContain("handleDisconnect ends");
  });
});
