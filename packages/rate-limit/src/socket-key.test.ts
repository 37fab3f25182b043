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

  it("is the address that is given rather than that of the connection", () => {
    expect(keyOfSocket("address", socket({}, "10.0.0.1"), "10.0.0.2")).toBe("address:10.0.0.2");
    expect(keyOfSocket("user", socket({}, "10.0.0.1"), "10.0.0.2")).toBe("address:10.0.0.2");
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

  it.each([
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:db8::9", "2001:db8:0:0::/64"],
    ["2001:db8::", "2001:db8:0:0::/64"],
    ["::1:2:3:4:5", "0:0:0:1::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
  ])("takes %s for what one customer owns, %s", (address, owned) => {
    expect(keyOfSocket("address", socket({}, address))).toBe(`address:${owned}`);
  });

  it("never takes a user for an address, nor a missing address for any other", () => {
    expect(keyOfSocket("user", socket({ user: { id: "address:10.0.0.1" } }))).toBe("user:address:10.0.0.1");
    expect(keyOfSocket("address", socket({}))).toBe("address:");
  });
});
