import { ServerResponse, type IncomingMessage } from "node:http";

/**
 * Whether the response to an earlier request of a connection is not over, when an upgrade comes behind it. Nobody who waits for an
 * answer sends an upgrade: two responses cannot have one socket, and what is still to come would look like an answer to it.
 */
export function isAnswering(upgrade: IncomingMessage): boolean {
  const probe = new ServerResponse(upgrade);
  try {
    probe.assignSocket(upgrade.socket);
    probe.detachSocket(upgrade.socket);
    return false;
  } catch {
    return true;
  }
}
