import { PAYLOAD } from "../../load/dialects.mjs";

const IN_FLIGHT = 16;
/** Events asked for at a time, and how many such requests are open: the server always has something to send. */
const PORTION = 1_000;
const OPEN_PORTIONS = 4;
/** Events that one turn of the loop sends. */
const EVENTS_PER_TURN = 100;

/**
 * What the clients do. Each load resolves with the number of messages it was about.
 *
 * @param {import("socket.io-client").Socket[]} sockets connected
 * @returns {Record<string, (count: number) => Promise<number>>}
 */
export function createLoads(sockets) {
  return {
    ack: (count) => forAll(sockets, count, keepInFlight),
    receive: (count) => forAll(sockets, count, receiveStream),
    send: (count) => forAll(sockets, count, sendStream),
  };
}

/** Divides the messages among the sockets, which work at the same time. */
async function forAll(sockets, count, work) {
  const each = Math.floor(count / sockets.length);
  await Promise.all(sockets.map((socket) => work(socket, each)));
  return each * sockets.length;
}

/** Every answer is followed by another request at once, so that 16 are never answered. */
function keepInFlight(socket, count) {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let answered = 0;
    const onAnswer = (payload) => {
      if (payload !== PAYLOAD) return reject(new Error(`expected an echo, got ${payload}`));
      if (++answered === count) return resolve();
      if (sent < count) request();
    };
    const request = () => {
      sent++;
      socket.emit("echo", PAYLOAD, onAnswer);
    };
    while (sent < IN_FLIGHT) request();
  });
}

function receiveStream(socket, count) {
  return new Promise((resolve, reject) => {
    let heard = 0;
    let asked = 0;
    const ask = () => {
      const portion = Math.min(PORTION, count - asked);
      if (portion === 0) return;
      asked += portion;
      socket.emit("stream", portion);
    };
    const onNews = (payload) => {
      if (payload !== PAYLOAD) return reject(new Error(`expected news, got ${payload}`));
      if (++heard % PORTION === 0) ask();
      if (heard < count) return;
      socket.off("news", onNews);
      resolve();
    };
    socket.on("news", onNews);
    for (let portions = 0; portions < OPEN_PORTIONS; portions++) ask();
  });
}

/** Resolves once the server has heard everything. A new burst begins when the last one is answered for. */
async function sendStream(socket, count) {
  const before = await heardBy(socket);
  for (let sent = 0; sent < count;) {
    const until = Math.min(count, sent + EVENTS_PER_TURN);
    for (; sent < until; sent++) socket.emit("news", PAYLOAD);
    await heardBy(socket);
  }
  const heard = (await heardBy(socket)) - before;
  if (heard !== count) throw new Error(`the server heard ${heard} of ${count} events`);
}

function heardBy(socket) {
  return new Promise((resolve) => socket.emit("heard", resolve));
}
