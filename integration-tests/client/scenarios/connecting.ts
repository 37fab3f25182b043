import { nextEvent } from "../../support/next-event.js";
import { expectEqual } from "./expect-equal.js";
import { scenario, type Scenario } from "./scenario.js";

interface AboutMe {
  readonly id: string;
  readonly nsp: string;
  readonly auth: Record<string, unknown>;
  readonly query: Record<string, string>;
}

export const connecting: Record<string, Scenario> = {
  "connects and knows its id": scenario(async ({ connect }) => {
    const socket = await connect();
    const me = (await socket.emitWithAck("about me")) as AboutMe;

    expectEqual(socket.connected, true, "connected");
    expectEqual(socket.id, me.id, "id");
    expectEqual(me.nsp, "/", "namespace");
  }),

  "opens a namespace": scenario(async ({ connect }) => {
    const socket = await connect({}, "/other");
    const me = (await socket.emitWithAck("about me")) as AboutMe;

    expectEqual([me.nsp, me.id], ["/other", socket.id]);
  }),

  "shares one connection between namespaces": scenario(async ({ connect }) => {
    const socket = await connect();
    const other = socket.io.socket("/other");
    await nextEvent(other, "connect");
    const received = nextEvent(other, "echo");
    other.emit("echo", 1);

    expectEqual(await received, [1]);
    expectEqual(other.io === socket.io, true, "same manager");
    other.disconnect();
    expectEqual([other.connected, socket.connected], [false, true], "connected");
  }),

  "sends credentials and a query": scenario(async ({ connect }) => {
    const socket = await connect({ auth: { token: "ü&=?" }, query: { "a&b": "c=d?" } });
    const me = (await socket.emitWithAck("about me")) as AboutMe;

    expectEqual(me.auth, { token: "ü&=?" }, "auth");
    expectEqual(me.query["a&b"], "c=d?", "query");
    expectEqual(me.query["token"], undefined, "token in the query");
  }),

  "asks a function for credentials": scenario(async ({ connect }) => {
    const socket = await connect({ auth: (give) => setTimeout(() => give({ token: 1 }), 1) });

    expectEqual(((await socket.emitWithAck("about me")) as AboutMe).auth, { token: 1 }, "auth");
  }),

  "learns why it is refused": scenario(async ({ open }) => {
    const socket = open({ auth: { refused: "not you" } });
    const [error] = await nextEvent<[Error & { data: unknown }]>(socket, "connect_error");

    expectEqual([error.message, error.data], ["not you", { code: 7 }]);
    expectEqual([socket.connected, socket.active], [false, false], "connected, active");
  }),

  "learns that a namespace does not exist": scenario(async ({ open }) => {
    const [error] = await nextEvent<[Error]>(open({}, "/nowhere"), "connect_error");

    expectEqual(error.message, "Invalid namespace");
  }),

  "stays away when the server sends it away": scenario(async ({ connect }) => {
    const socket = await connect();
    const gone = nextEvent(socket, "disconnect");
    socket.emit("send me away");

    expectEqual((await gone)[0], "io server disconnect", "reason");
    expectEqual([socket.connected, socket.active, socket.id], [false, false, undefined]);
  }),

  "leaves and comes back": scenario(async ({ connect }) => {
    const socket = await connect();
    const first = socket.id;
    const gone = nextEvent(socket, "disconnect");
    socket.disconnect();
    expectEqual((await gone)[0], "io client disconnect", "reason");
    const back = nextEvent(socket, "connect");
    socket.connect();
    await back;

    expectEqual([socket.connected, socket.id === first], [true, false], "connected, same id");
  }),
};
