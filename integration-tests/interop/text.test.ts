import { expect, it } from "vitest";
import { connectPair, singleTransports } from "../support/connect-client.js";
import { interopSuite } from "../support/interop-suite.js";

const texts: { kind: string; text: string }[] = [
  { kind: "the empty string", text: "" },
  { kind: "ASCII with quotes and backslashes", text: `"quoted" \\ 'single' \\n </script>` },
  { kind: "two- and three-byte characters", text: "é ß ü € 中文 한국어" },
  { kind: "the supplementary plane", text: "𝄞 😀 👩‍👩‍👧 𠜎 \u{10FFFF}" },
  { kind: "a surrogate pair at the end", text: "x".repeat(1023) + "😀" },
  // JSON.stringify escapes them, so they survive a wire that could not carry them as they are.
  { kind: "lone surrogates", text: "\ud800 \udc00 \udfff\ud800" },
  { kind: "line and paragraph separators", text: "a\u2028b\u2029c" },
  { kind: "NUL and other control characters", text: "\u0000 \u0001 \u001f \u007f \u0080 \u009f" },
  { kind: "the record separator of polling payloads", text: "4a\u001e4b\u001e" },
  { kind: "private use characters", text: "\ue000 \uf8ff \u{f0000}" },
  { kind: "a byte order mark", text: "\ufeffafter" },
  { kind: "non-characters", text: "\ufffe \uffff" },
  { kind: "combining characters, not normalised", text: "e\u0301 \u00e9" },
  { kind: "what looks like a packet", text: '42/admin,12["x"]' },
  { kind: "what looks like base64 binary", text: "bAQID" },
];

interopSuite("text", ({ startServer }) => {
  for (const transport of singleTransports) {
    it.each(texts)(`carries $kind both ways over ${transport}`, async ({ text }) => {
      const server = await startServer();
      const { client, socket } = await connectPair(server, { travel: transport });
      const echo = (...args: unknown[]): void => {
        const reply = args.pop() as (value: unknown) => void;
        reply({ [text]: args });
      };
      const name = `event ${text}`;
      client.on(name, echo);
      socket.on(name, echo);

      expect(await client.emitWithAck(name, text, [text])).toEqual({ [text]: [text, [text]] });
      expect(await socket.emitWithAck(name, text, [text])).toEqual({ [text]: [text, [text]] });
    });

    it(`keeps multi-byte characters whole that are split over many reads, over ${transport}`, async () => {
      const server = await startServer();
      const { client, socket } = await connectPair(server, { travel: transport });
      const echo = (value: string, reply: (value: string) => void): void => reply(value);
      client.on("echo", echo);
      socket.on("echo", echo);
      // One byte in front moves every following character off the boundaries of the reads.
      const text = `x${"€😀".repeat(40_000)}`;

      expect((await client.emitWithAck("echo", text)) === text).toBe(true);
      expect((await socket.emitWithAck("echo", text)) === text).toBe(true);
    });

    it(`carries namespaces and rooms with unusual names over ${transport}`, async () => {
      const server = await startServer();
      const { client } = await connectPair(server, { travel: transport });
      const namespace = server.io.of("/naïve 😀");
      namespace.on("connection", (socket) => {
        void socket.join("röm\u2028 😀");
        namespace.to("röm\u2028 😀").emit("hello", socket.nsp.name);
      });

      const other = client.io.socket("/naïve 😀");
      const name = await new Promise((resolve) => other.on("hello", resolve));

      expect(name).toBe("/naïve 😀");
    });
  }
});
