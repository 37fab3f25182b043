import { EventError } from "@plugboard/contract";
import type { Room } from "./adapter-contract.js";
import type { EventHandler } from "./event-parts.js";

/** Events by which clients ask for rooms; each with the name of the room, and answered. */
export const JOIN_ROOM = "room:join";
export const LEAVE_ROOM = "room:leave";

/** Chars of a room that a client asks for. */
const MAX_ROOM_LENGTH = 256;
/** Rooms of one socket, its own and those it was put into included; beyond that a client gets no more. */
const MAX_ROOMS = 1_000;

/** Decides whether a socket may join a room, given what the pattern's parameters stand for. */
export type RoomCheck<SocketType = unknown> = (
  socket: SocketType,
  params: Readonly<Record<string, string>>,
) => boolean | PromiseLike<boolean>;

/** Names of the parameters of a pattern. */
export type PatternParams<Pattern extends string> = {
  readonly [Name in ParamNames<Pattern>]: string;
};

type ParamNames<Pattern extends string> = string extends Pattern
  ? string
  : Pattern extends `${infer Part}/${infer Rest}`
    ? ParamNames<Part> | ParamNames<Rest>
    : Pattern extends `:${infer Name}`
      ? Name
      : never;

/** The socket that asks. */
interface Joiner {
  readonly connected: boolean;
  readonly rooms: ReadonlySet<Room>;
  join(room: Room): unknown;
  leave(room: Room): unknown;
}

interface Rule {
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly check: RoomCheck;
}

/** The rooms that clients of a namespace may ask for. */
export class RoomPermissions {
  readonly #rules: Rule[] = [];
  readonly #parent: { readonly _roomPermissions: RoomPermissions | undefined } | undefined;

  /** @param parent - whose patterns count too, behind these */
  constructor(parent?: { readonly _roomPermissions: RoomPermissions | undefined }) {
    this.#parent = parent;
  }

  /**
   * @param pattern - `orders/:id`: a part that begins with a colon stands for one or more chars other than a slash
   * @throws TypeError when a parameter has no name, or two the same
   */
  add(pattern: string, check: RoomCheck): void {
    const names: string[] = [];
    const source = pattern.split("/").map((part) => {
      if (!part.startsWith(":")) return part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
      const name = part.slice(1);
      if (!/^\w+$/.test(name) || names.includes(name)) throw new TypeError(`"${pattern}" is not a pattern of rooms`);
      names.push(name);
      return "([^/]+)";
    });
    this.#rules.push({ pattern: new RegExp(`^${source.join("/")}$`), names, check });
  }

  readonly join: EventHandler = async (room, context) => {
    const socket = context.socket as Joiner;
    const [rule, params] = this.#ruleFor(room);
    // Not which of the two it is: that there is such a room is not for everybody to know.
    if (!(await rule.check(context.socket, params))) throw forbidden();
    if (socket.rooms.size >= MAX_ROOMS) {
      throw new EventError("SIO_TOO_MANY_ROOMS", `A socket may be in ${MAX_ROOMS} rooms`);
    }
    if (socket.connected) await socket.join(room as string);
    return { status: "ok", room };
  };

  readonly leave: EventHandler = async (room, context) => {
    this.#ruleFor(room);
    await (context.socket as Joiner).leave(room as string);
    return { status: "ok", room };
  };

  /** The first whose pattern matches. */
  #ruleFor(room: unknown): [Rule, Record<string, string>] {
    const found = typeof room === "string" && room.length <= MAX_ROOM_LENGTH ? this.#find(room) : undefined;
    if (found === undefined) throw forbidden();
    return found;
  }

  #find(room: string): [Rule, Record<string, string>] | undefined {
    for (const rule of this.#rules) {
      const match = rule.pattern.exec(room);
      if (match !== null) return [rule, Object.fromEntries(rule.names.map((name, index) => [name, match[index + 1]!]))];
    }
    const inherited = this.#parent?._roomPermissions;
    return inherited === undefined ? undefined : inherited.#find(room);
  }
}

function forbidden(): EventError {
  return new EventError("SIO_FORBIDDEN", "You may not join this room");
}
