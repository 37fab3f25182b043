import { clientTextFrame } from "./client-frame.mjs";
import { DIALECTS } from "./dialects.mjs";
import { RawWebSocketClient } from "./raw-websocket-client.mjs";

// Below the listen backlog of Node (511): a burst above it makes the kernel drop SYNs, each of which costs a second.
const CONNECTIONS_AT_ONCE = 100;

/**
 * Opens websocket connections in batches; all of them are joined and able to carry events when the promise resolves.
 *
 * @param {{ port: number, dialect: string, localAddress?: string }} server `localAddress` is where to connect from
 * @param {number} count
 * @param {(error: Error) => void} onLost called when a connection fails to open, or ends before it is destroyed
 * @returns {Promise<RawWebSocketClient[]>}
 */
export async function openConnections({ port, dialect, localAddress }, count, onLost) {
  const { path, join } = DIALECTS[dialect];
  const openOne = async () => {
    const client = await upgraded({ port, path, localAddress, onLost });
    await join(client, clientTextFrame);
    return client;
  };
  const clients = [];
  while (clients.length < count) {
    const batchSize = Math.min(CONNECTIONS_AT_ONCE, count - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: batchSize }, openOne))));
  }
  return clients;
}

/** @returns {Promise<RawWebSocketClient>} never settles when the connection fails: `onLost` is told */
function upgraded(options) {
  return new Promise((resolve) => {
    const client = new RawWebSocketClient({ ...options, onUpgraded: () => resolve(client) });
  });
}
