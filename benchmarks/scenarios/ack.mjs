import { clientTextFrame } from "../load/client-frame.mjs";
import { DIALECTS, echoRequest } from "../load/dialects.mjs";
import { measureCpu } from "./measure-cpu.mjs";

const CONNECTIONS = 100;
const FIRST_ACK_ID = 100; // ids of three digits, so that all frames are of one length

/** Event + ack in a closed loop: each connection keeps `inFlight` requests unanswered. */
function ackScenario(inFlight) {
  return {
    name: `ack-${inFlight}`,
    title: `event + ack, ${inFlight} in flight on ${CONNECTIONS} connections`,
    unit: "us/message",
    async run(context) {
      const clients = await context.connect(CONNECTIONS);
      await Promise.all(clients.map((client) => checkEcho(client, DIALECTS[context.server.ready.dialect])));
      return measureCpu(context, createEchoLoad(clients, inFlight));
    },
  };
}

/** One answer per connection is compared with what it must be; from then on answers are only counted. */
async function checkEcho(client, dialect) {
  const expected = dialect.echoReply(FIRST_ACK_ID);
  const answer = client.nextText((text) => text.startsWith("4"));
  client.write(clientTextFrame(echoRequest(FIRST_ACK_ID)));
  const text = await answer;
  if (text !== expected) throw new Error(`expected the answer ${expected}, got ${text}`);
  client.startCounting();
}

/** @returns {(durationMs: number) => Promise<number>} */
function createEchoLoad(clients, inFlight) {
  const frames = Array.from({ length: inFlight }, (_, index) => clientTextFrame(echoRequest(FIRST_ACK_ID + index)));
  const frameLength = frames[0].length;
  // Twice around, so that any run of up to `inFlight` frames is one slice and leaves in one write.
  const ring = Buffer.concat([...frames, ...frames]);
  const slice = (from, count) => ring.subarray(from * frameLength, (from + count) * frameLength);

  return (durationMs) =>
    new Promise((resolve) => {
      let stopping = false;
      let messages = 0;
      let unanswered = clients.length * inFlight;
      setTimeout(() => (stopping = true), durationMs);
      for (const client of clients) {
        let next = 0;
        client.onMessages = (count) => {
          messages += count;
          if (stopping) {
            unanswered -= count;
            if (unanswered === 0) resolve(messages);
            return;
          }
          client.write(slice(next, count));
          next = (next + count) % inFlight;
        };
      }
      for (const client of clients) client.write(slice(0, inFlight));
    });
}

export const ACK_SCENARIOS = [ackScenario(1), ackScenario(16)];
