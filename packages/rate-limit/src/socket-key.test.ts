import { describe, expect, it } from "vitest";
import type { AnySocket } from "./any-socket.js";
import { keyOfSocket } from "./socket-key.js";

const socket = (data: unknown, remoteAddress?: string): AnySocket =>
  ({ id: "x1", data, conn: { remoteAddress } }) as AnySocket;

describe("keyOfSocket", () => {
  it("is the socket, its user, its address, or what a function says", () => {
    const ada = socket({ user: { id: 7 } }, "10.0.0.1");
    expect(keyOfSocket("socket", ada)).toBe("socket:x1");
    expect(keyOfSocket("user", ada)).toBe("user:7");
    expect(keyOfSocket("address", ada)).toBe("address:10.0.0.1");
    expect(keyOfSocket(({ data }) => data.user.id, ada)).toBe("7");
  });

  it("is the user of the credentials, where there are any", () => {
    const verified = Object.assign(socket({ user: { id: 7 } }), { credentials: { user: "ada" } });
    expect(keyOfSocket("user", verified)).toBe("user:ada");
  });

  it.each([[undefined], [null], [{}], [{ user: null }], [{ user: {} }], [{ user: { id: null } }]])(
    "is the address of a socket whose data is %j",
    (data) => {
      expect(keyOfSocket("user", socket(data, "10.0.0.1"))).toBe("address:10.0.0.1");
    },
  );

  it("never takes a user for an address, nor a missing address for any other", () => {
    expect(keyOfSocket("user", socket({ user: { id: "address:10.0.0.1" } }))).toBe("user:address:10.0.0.1");
    expect(keyOfSocket("address", socket({}))).toBe("address:");
  });
});
