import { expect } from "vitest";
import type { Abuse } from "../abuse.js";
import { AbusiveWebSocket } from "../../support/abusive-client.js";

const PLACEHOLDER = '{"_placeholder":true,"num":0}';
const deep = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);

/** The connection is closed without a code and without another word. */
function closes(title: string, ...messages: (string | Uint8Array)[]): Abuse {
  return {
    title: `${title} closes the connection`,
    run: (port) =>
      AbusiveWebSocket.use(port, "", async (websocket) => {
        for (const message of messages) websocket.send(message);
        expect(await websocket.connection.nextText()).toBeUndefined();
        await websocket.untilGone();
      }),
  };
}

/** Is answered like that, if at all, and the connection goes on. */
function answered(title: string, packet: string, answer: string | undefined): Abuse {
  return {
    title: `${title} is ${answer === undefined ? "ignored" : "answered"}, and the connection goes on`,
    run: (port) =>
      AbusiveWebSocket.use(port, "", async (websocket) => {
        websocket.send(packet);
        if (answer !== undefined) expect(await websocket.connection.nextText()).toBe(answer);
        websocket.send('421["echo","x"]');
        expect(await websocket.connection.nextText()).toBe('431["x"]');
      }),
  };
}

/** An unknown namespace is refused by its name. */
function unknownNamespace(name: string): Abuse {
  const refusal = `44${name},{"message":"Invalid namespace"}`;
  return answered(`CONNECT to ${name.length > 40 ? `${name.slice(0, 40)}...` : name}`, `40${name},`, refusal);
}

export const PACKETS: readonly Abuse[] = [
  closes("an empty message", "4"),
  closes("an unknown type", "47"),
  closes("a letter for a type", "4x"),
  closes("an event that is an object", '42{"0":"x"}'),
  closes("an event that is a text", '42"x"'),
  closes("an event that is null", "42null"),
  closes("an event without a name", "42[]"),
  closes("a name that is an object", '42[{"toString":"x"}]'),
  closes("a name that is an array", '42[["x"]]'),
  closes("a name that is null", "42[null]"),
  closes("a name that is no number", "42[1e999]"),
  closes("a reserved name", '42["disconnect","transport close"]'),
  closes("a name the emitter keeps for itself", '42["newListener"]'),
  closes("broken JSON", '42["x",'),
  closes("two values", '42["x"]["y"]'),
  closes("a disconnect with data", "41{}"),
  closes("an ack that is an object", "431{}"),
  closes("a CONNECT_ERROR", '44{"message":"x"}'),
  closes("a second CONNECT", "40"),
  closes("a CONNECT with an array", "40/chat,[]"),
  closes("a CONNECT with a text", '40/chat,"x"'),
  closes("an id beyond the safe integers", '429007199254740993["x"]'),
  closes("an id of a thousand digits", `42${"9".repeat(1000)}["x"]`),
  closes("an id of an ack that is no number", "43-1[]"),
  closes("an event for a namespace that is not joined", '42/chat,["x"]'),
  closes("an event for a namespace that does not exist", '42/__proto__,["x"]'),
  closes("a disconnect from a namespace that is not joined", "41/chat,"),
  closes("a binary event without a count", '45["x"]'),
  closes("a binary event with a count that is none", '45x-["x"]'),
  closes("a binary event with a negative count", '45-1-["x"]'),
  closes("a binary event without attachments", '450-["x"]'),
  closes("more attachments than are allowed", `4511-["x",${PLACEHOLDER}]`),
  closes("attachments without end", `45${"9".repeat(400)}-["x",${PLACEHOLDER}]`),
  closes("text in the place of an attachment", `451-["x",${PLACEHOLDER}]`, '42["y"]'),
  closes("an attachment too many", `451-["echo",${PLACEHOLDER}]`, Uint8Array.of(1), Uint8Array.of(2)),
  closes(
    "a placeholder for an attachment that does not come",
    '451-["x",{"_placeholder":true,"num":1}]',
    new Uint8Array(1),
  ),
  closes("a placeholder with a negative number", '451-["x",{"_placeholder":true,"num":-1}]', new Uint8Array(1)),
  closes("a placeholder with a fraction", '451-["x",{"_placeholder":true,"num":0.5}]', new Uint8Array(1)),
  closes("a placeholder that names a method", '451-["x",{"_placeholder":true,"num":"splice"}]', new Uint8Array(1)),
  closes("a name that is an attachment", `451-[${PLACEHOLDER}]`, new Uint8Array(1)),
  answered("an event without anything", "42", undefined),
  answered("an ack that nobody waits for", "4399[1]", undefined),
  answered("an ack with the greatest id", "439007199254740991[1]", undefined),
  answered("an event with the greatest id", '429007199254740991["echo",1]', "439007199254740991[1]"),
  answered("an event that nobody listens for", '42["nobody"]', undefined),
  answered("an event called error", '42["error",{}]', undefined),
  answered("data nested thousands of times", `42["nobody",${deep(4000)}]`, undefined),
  answered("data nested too deeply to be sent back", `422["echo",${deep(4000)}]`, undefined),
  answered(
    "data with dangerous names",
    '423["echo",{"__proto__":{"polluted":1},"constructor":1}]',
    '433[{"__proto__":{"polluted":1},"constructor":1}]',
  ),
  answered("data that looks like an attachment", `424["echo",${PLACEHOLDER}]`, `434[${PLACEHOLDER}]`),
  unknownNamespace("/nowhere"),
  unknownNamespace("/__proto__"),
  unknownNamespace("/chat/"),
  unknownNamespace("/CHAT"),
  unknownNamespace("//"),
  unknownNamespace("/chat?x=1"),
  unknownNamespace(`/${"x".repeat(9000)}`),
];
