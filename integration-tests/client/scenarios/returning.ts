import { nextEvent } from "../../support/next-event.js";
import { expectEqual } from "./expect-equal.js";
import { impatient, RECOVERY_PATH, scenario, type Scenario } from "./scenario.js";

export const returning: Record<string, Scenario> = {
  "comes back when the connection is lost": scenario(async ({ connect }) => {
    const socket = await connect(impatient);
    const first = socket.id;
    const attempts: unknown[] = [];
    socket.io.on("reconnect_attempt", (attempt) => attempts.push(attempt));
    const gone = nextEvent(socket, "disconnect");
    const back = nextEvent(socket, "connect");
    socket.emit("cut me off");

    expectEqual(/^transport (close|error)$/.test(String((await gone)[0])), true, "reason");
    await back;
    expectEqual([socket.connected, socket.id === first], [true, false], "connected, same id");
    expectEqual(attempts, [1], "attempts");
  }),

  "comes back when it closes its own engine": scenario(async ({ connect }) => {
    const socket = await connect(impatient);
    const back = nextEvent(socket.io, "reconnect");
    const connected = nextEvent(socket, "connect");
    socket.io.engine.close();

    expectEqual(await back, [1]);
    await connected;
    expectEqual(await socket.emitWithAck("echo", 1), 1);
  }),

  "brings its namespaces back and delivers what was emitted meanwhile": scenario(async ({ connect }) => {
    const socket = await connect(impatient);
    const other = socket.io.socket("/other");
    await nextEvent(other, "connect");
    const gone = nextEvent(other, "disconnect");
    socket.emit("cut me off");
    await gone;
    const received = nextEvent(other, "echo");
    other.emit("echo", "while away", Uint8Array.of(1));

    expectEqual(await received, ["while away", Uint8Array.of(1)]);
  }),

  "recovers its session and what it missed": scenario(async ({ connect }) => {
    const socket = await connect({ ...impatient, path: RECOVERY_PATH });
    expectEqual(socket.recovered, false, "recovered at first");
    const first = socket.id;
    const received = nextEvent(socket, "echo");
    socket.emit("echo", 1);
    await received;
    const missed = nextEvent(socket, "missed");
    const back = nextEvent(socket, "connect");
    socket.emit("miss", "in between", Uint8Array.of(1));

    expectEqual((await missed).slice(0, 2), ["in between", Uint8Array.of(1)]);
    await back;
    expectEqual([socket.recovered, socket.id], [true, first], "recovered, id");
  }),
};
