/*
 * Invariant: any body of a polling POST, whole or in pieces, is answered with 200, 400 or 413 and brings the same
 * messages; its session goes on or closes for a declared reason, the others echo; in linear time and bounded memory.
 */
import { MemoryRequest } from "@plugboard/testkit";
import { type FuzzInput, type FuzzTarget, mutateBytes, mutateText, Random, splitBytes } from "@plugboard/testkit/fuzz";
import { EchoEngine, type WatchedSession } from "./echo-engine.js";
import { MemoryResponse, memoryRequest } from "./memory-http.js";
import { enginePayload } from "./packet-grammar.js";

const STATUSES: ReadonlySet<number> = new Set([200, 400, 413]);
/** How the session polls, and what it claims to post. */
const MODES = ["text", "text", "text", "poll pending", "jsonp", "octet-stream", "small limit"] as const;
const SMALL_LIMIT_BYTES = 40;

function generate(random: Random): FuzzInput {
  const mode = random.pick(MODES);
  if (random.oneIn(16)) return [mode, random.bytes(random.small(300))];
  const payload = enginePayload(random);
  const text = random.oneIn(4) ? payload : mutateText(random, payload, enginePayload(random));
  const body = Buffer.from(mode === "jsonp" ? `d=${form(random, text)}` : text);
  return [mode, random.oneIn(6) ? mutateBytes(random, body, Buffer.from(payload)) : new Uint8Array(body)];
}

function form(random: Random, text: string): string {
  return random.oneIn(4)
    ? text
    : encodeURIComponent(Buffer.from(text).toString()).replaceAll("%0A", random.pick(["%5Cn", "%5C%5Cn"]));
}

const body = (mode: string, unit: string) => (size: number) => [mode, Buffer.from(unit.repeat(size / unit.length))];

export const target: FuzzTarget = {
  name: "polling-body",
  generate,
  growing: {
    "empty messages": body("text", "4\x1e"),
    "noop packets": body("text", "6\x1e"),
    "pong packets": body("text", "3\x1e"),
    "pong packets under a poll": body("poll pending", "3\x1e"),
    "empty binary messages": body("text", "b\x1e"),
    "messages under a poll": body("poll pending", "4a\x1e"),
    separators: body("text", "\x1e"),
    "one message": body("text", "4"),
    "one binary message": body("text", "b"),
    "bytes that are not UTF-8": (size) => ["text", new Uint8Array(size).fill(0xff)],
    "form fields": body("jsonp", "d=4&"),
    "escaped line feeds": (size) => ["jsonp", Buffer.from("d=4" + "\\n".repeat(size / 2))],
    backslashes: (size) => ["jsonp", Buffer.from("d=4" + "\\".repeat(size))],
    "percent signs": body("jsonp", "%"),
    "too large": (size) => ["text", new Uint8Array(size * 2)],
  },
  async open() {
    const normal = await EchoEngine.open();
    const limited = await EchoEngine.open({ maxHttpBufferSize: SMALL_LIMIT_BYTES });
    const echoOf = (mode: string): EchoEngine => (mode === "small limit" ? limited : normal);

    function isTooLarge(mode: string, bytes: Uint8Array): boolean {
      return mode !== "octet-stream" && bytes.length > echoOf(mode).engine.opts.maxHttpBufferSize;
    }

    async function begin(
      mode: string,
    ): Promise<{ url: string; watched: WatchedSession; headers: Record<string, string> }> {
      const echo = echoOf(mode);
      const sid = await echo.openPolling(mode === "jsonp" ? "&j=0" : "");
      const url = `/engine.io/?EIO=4&transport=polling&sid=${sid}`;
      const headers: Record<string, string> =
        mode === "octet-stream" ? { "content-type": "application/octet-stream" } : {};
      if (mode === "poll pending") void echo.engine.handle(new MemoryRequest(url)).then((answer) => answer.done());
      return { url, watched: echo.last as WatchedSession, headers };
    }

    /** What came of it: the status, how the session stands, and what its listeners heard. */
    function finish(status: number, text: string, watched: WatchedSession, isTooLarge: boolean): string[] {
      if (!STATUSES.has(status) || (status === 413) !== isTooLarge) throw new Error(`answered with ${status}`);
      if (text !== (status === 200 ? "ok" : "")) throw new Error(`answered with ${status} ${text}`);
      const reason = normal.reasonOf(watched);
      watched.session.close(true);
      const heard = watched.messages.length > 0 ? ", heard" : "";
      return [
        `${status}, ${reason}${heard}`,
        ...watched.messages.map((message) => `${typeof message} ${String(message)}`),
      ];
    }

    async function runWhole(mode: string, bytes: Uint8Array): Promise<string[]> {
      const { url, watched, headers } = await begin(mode);
      const answer = await echoOf(mode).engine.handle(new MemoryRequest(url, { method: "POST", headers, body: bytes }));
      answer.done();
      return finish(answer.status, answer.body as string, watched, isTooLarge(mode, bytes));
    }

    async function runSplit(mode: string, bytes: Uint8Array): Promise<string[]> {
      const { url, watched, headers } = await begin(mode);
      const pieces = splitBytes(new Random(bytes.length, bytes[0] ?? 0), bytes);
      const request = memoryRequest("POST", url, headers, pieces);
      const response = new MemoryResponse(request);
      echoOf(mode).engine.handleRequest(request, response.asResponse);
      await response.done;
      return finish(response.statusCode, Buffer.concat(response.body).toString(), watched, isTooLarge(mode, bytes));
    }

    return {
      async run([mode, bytes]) {
        const whole = await runWhole(mode as string, bytes as Uint8Array);
        const split = await runSplit(mode as string, bytes as Uint8Array);
        if (whole.length !== split.length || whole.some((line, index) => line !== split[index])) {
          throw new Error(`whole: ${whole.join()}, split: ${split.join()}`);
        }
        return whole[0] as string;
      },
      async checkOthers() {
        await normal.checkOthers();
        await limited.checkOthers();
      },
      async close() {
        await normal.close();
        await limited.close();
      },
    };
  },
};
