import { Server, type Socket } from "@plugboard/server";
import { expect, it, vi } from "vitest";
import { FakeEngine } from "../../server/src/fake-engine.js";
import { EventCall } from "./event-call.js";
import { EventFailures } from "./event-failures.js";
import { resolveOptions } from "./options.js";

it("logs an error whose message throws when it is read", () => {
  const error = Object.defineProperty(new Error("odd"), "message", {
    get: () => {
      throw new Error("read");
    },
  });
  expect(() => new EventFailures(resolveOptions({}).own).log(error)).not.toThrow();
});

it.each([
  ["an error", {}, Object.assign(new Error("no"), { getError: () => ({ big: 5n }) })],
  ["what the program's format makes of one", { format: () => ({ big: 5n }) }, new Error("no")],
])("answers in its own words when %s cannot be sent", (_, acks, error) => {
  const failures = new EventFailures(resolveOptions({ acks }).own);
  const log = vi.spyOn(failures, "log").mockReturnValue();
  const answers: unknown[] = [];
  const ack = (answer: unknown): void => void answers.push(JSON.parse(JSON.stringify(answer)));
  for (const hasAnswered of [false, true]) {
    failures.fail(new EventCall({} as Socket, "x", [], ack, failures), error, hasAnswered);
  }
  expect(answers).toMatchObject([{ code: "SIO_INTERNAL_ERROR" }, { code: "SIO_INTERNAL_ERROR" }]);
  expect(log).toHaveBeenCalledWith(expect.any(TypeError));
});

it("answers in its own words when the program's format throws", async () => {
  const engine = new FakeEngine();
  const io = new Server().bind(engine);
  const { sid } = await engine.join();
  const socket = io.sockets.sockets.get(sid) as Socket;
  const format = (): never => {
    throw new Error("format is broken");
  };
  const failures = new EventFailures(resolveOptions({ acks: { format } }).own);
  const log = vi.spyOn(failures, "log").mockReturnValue();
  const ack = vi.fn();
  failures.fail(new EventCall(socket, "x", [], ack, failures), new Error("broken"), false);
  expect(ack).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "SIO_INTERNAL_ERROR" }));
  expect(log.mock.calls).toEqual([[new Error("broken")], [new Error("format is broken")]]);
});
