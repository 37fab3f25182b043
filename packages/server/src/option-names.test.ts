import { describe, expect, it } from "vitest";
import { SERVER_OPTION_NAMES, unknownOption } from "./option-names.js";

describe("names of options", () => {
  it("are known if they are those of a server or its engine", () => {
    const given = { path: "/ws", cors: {}, pingInterval: 1, adapter: undefined, handlerTimeout: 0 };
    expect(unknownOption("socketio", given, SERVER_OPTION_NAMES)).toBe(undefined);
  });

  it.each([
    ["corss", "cors"],
    ["CORS", "cors"],
    ["transport", "transports"],
    ["maxHttpBuferSize", "maxHttpBufferSize"],
    ["connectionStateRecover", "connectionStateRecovery"],
    ["pahts", "path"],
  ])("that are unknown are told with the nearest one: %s, %s", (name, nearest) => {
    expect(unknownOption("socketio", { path: "/", [name]: 1 }, SERVER_OPTION_NAMES)).toBe(
      `there is no option "${name}" of socketio (did you mean "${nearest}"?)`,
    );
  });

  it.each(["colour", "port"])("are told without a guess where none is near: %s", (name) => {
    expect(unknownOption("socketio", { [name]: 1 }, SERVER_OPTION_NAMES)).toBe(
      `there is no option "${name}" of socketio`,
    );
  });

  it("are told with those that there are, if they are few", () => {
    expect(unknownOption("rateLimit", { event: 1 }, ["handshake", "events"])).toBe(
      'there is no option "event" of rateLimit (did you mean "events"?): there are handshake, events',
    );
  });
});
