import { RawConnection, enginePath } from "../support/raw-connection.js";

/** Opens a session over polling; no namespace is joined. */
export async function openPolling(port: number): Promise<{ connection: RawConnection; sid: string }> {
  const connection = await RawConnection.open(port);
  const { body } = await connection.request("GET", enginePath("polling"));
  return { connection, sid: (JSON.parse(body.slice(1)) as { sid: string }).sid };
}

/** A session over polling in the main namespace, with no poll pending. */
export async function joinByPolling(port: number): Promise<{ connection: RawConnection; sid: string }> {
  const session = await openPolling(port);
  await session.connection.request("POST", enginePath("polling", session.sid), "40");
  await session.connection.request("GET", enginePath("polling", session.sid));
  return session;
}

/** A websocket that has got the handshake; no namespace is joined. */
export async function openWebSocket(port: number): Promise<RawConnection> {
  const connection = await RawConnection.open(port);
  await connection.upgrade(enginePath("websocket"));
  await connection.nextText();
  return connection;
}

/** A websocket in the main namespace. */
export async function joinByWebSocket(port: number): Promise<RawConnection> {
  const connection = await openWebSocket(port);
  connection.sendText("40");
  await connection.nextText();
  return connection;
}
