/*
 * What is said over the websocket, per kind of peer. The bare `ws` peer echoes the very bytes that a Socket.IO event has,
 * so every peer reads frames of one size.
 */

/** The application payload of every message: 48 bytes. */
export const PAYLOAD = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL";

/**
 * @typedef {object} Dialect
 * @property {string} path of the upgrade request
 * @property {(client: import("./raw-websocket-client.mjs").RawWebSocketClient, frame: (text: string) => Buffer) => Promise<void>} join
 *   what follows the 101 until the connection can carry events
 * @property {(ackId: number) => string} echoReply the answer to {@link echoRequest}
 */

/** The text of an `echo` event that asks for an acknowledgement. @param {number} ackId */
export const echoRequest = (ackId) => `42${ackId}["echo","${PAYLOAD}"]`;

/** The text of a broadcast, as every peer sends it. */
export const BROADCAST_TEXT = `42["news","${PAYLOAD}"]`;

/** @type {Record<string, Dialect>} */
export const DIALECTS = {
  "socket.io": {
    path: "/socket.io/?EIO=4&transport=websocket",
    async join(client, frame) {
      await client.nextText((text) => text.startsWith("0{"));
      client.write(frame("40"));
      await client.nextText((text) => text.startsWith("40{"));
    },
    echoReply: (ackId) => `43${ackId}["${PAYLOAD}"]`,
  },
  websocket: { path: "/", join: async () => {}, echoReply: echoRequest },
};
