import type * as Ours from "@plugboard/client";
import type * as Reference from "socket.io-client";
import { describe, expect, test } from "tstyche";

type Options<Package extends "ours" | "reference"> = Package extends "ours"
  ? Partial<Ours.ManagerOptions & Ours.SocketOptions>
  : Partial<Reference.ManagerOptions & Reference.SocketOptions>;

/** Not ours to offer: what classes of the reference call each other for, and cannot hide. */
type Inside = "_destroy" | "_packet" | "_hasPingExpired" | "_cookieJar";

describe("what socket.io-client has", () => {
  test("is exported here under the same name", () => {
    expect<Exclude<keyof typeof Reference, keyof typeof Ours>>().type.toBe<never>();
  });

  test("has the same members here", () => {
    expect<Exclude<keyof Reference.Socket, keyof Ours.Socket>>().type.toBe<never>();
    expect<Exclude<keyof Reference.Manager, keyof Ours.Manager | Inside>>().type.toBe<never>();
    expect<Exclude<keyof Reference.Manager["engine"], keyof Ours.Manager["engine"] | Inside>>().type.toBe<never>();
    expect<
      Exclude<keyof Reference.Manager["engine"]["transport"], keyof Ours.Manager["engine"]["transport"]>
    >().type.toBe<never>();
  });

  test("has the same options here, of the same type or a wider one", () => {
    expect<Exclude<keyof Options<"reference">, keyof Options<"ours">>>().type.toBe<never>();
    expect<Options<"reference">>().type.toBeAssignableTo<Options<"ours">>();
    expect<Reference.ManagerOptions>().type.toBeAssignableTo<Ours.ManagerOptions>();
    expect<Reference.SocketOptions>().type.toBeAssignableTo<Ours.SocketOptions>();
  });

  test("emits the same events here, with the same arguments", () => {
    expect<Ours.SocketReservedEvents>().type.toBe<Reference.SocketReservedEvents>();
    expect<keyof Ours.ManagerReservedEvents>().type.toBe<keyof Reference.ManagerReservedEvents>();
    expect<Omit<Ours.ManagerReservedEvents, "packet">>().type.toBe<Omit<Reference.ManagerReservedEvents, "packet">>();
    type PacketOf<Events extends { packet: (packet: any) => void }> = Parameters<Events["packet"]>[0];
    expect<keyof PacketOf<Ours.ManagerReservedEvents>>().type.toBe<keyof PacketOf<Reference.ManagerReservedEvents>>();
    expect<PacketOf<Ours.ManagerReservedEvents>>().type.toBeAssignableTo<PacketOf<Reference.ManagerReservedEvents>>();
  });

  test("disconnects for the same reasons here", () => {
    expect<Ours.Socket.DisconnectReason>().type.toBe<Reference.Socket.DisconnectReason>();
    expect<Ours.DisconnectDescription>().type.toBe<Reference.DisconnectDescription>();
    expect<Ours.ExtendedError>().type.toBe<Reference.ExtendedError>();
  });

  test("is called with the same arguments here", () => {
    expect<Parameters<typeof Ours.io>>().type.toBe<[uri?: string | undefined, opts?: Options<"ours"> | undefined]>();
    expect<Parameters<typeof Reference.io>>().type.toBeAssignableTo<Parameters<typeof Ours.io>>();
    expect<ConstructorParameters<typeof Reference.Manager>>().type.toBeAssignableTo<
      ConstructorParameters<typeof Ours.Manager>
    >();
  });
});
