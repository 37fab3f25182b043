/** A program that has to do the same on every Node. */
export interface Program {
  readonly does: string;
  /** Script in the folder of the installed application, and its arguments. */
  readonly args: readonly string[];
  /** What it prints, as JSON. */
  readonly prints: unknown;
}

const conversation = { reply: "who!", bytes: [1, 2, 3], text: "hey", upgrade: "websocket" };

/** To add one, put its script into `drop-in/fixtures/app` and name it here. */
export const programs: readonly Program[] = [
  { does: 'calls what require("socket.io") returns', args: ["required.cjs"], prints: conversation },
  { does: "imports the server", args: ["imported.mjs"], prints: conversation },
];
