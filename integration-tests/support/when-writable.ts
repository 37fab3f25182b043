/**
 * Resolves once a connection could write at once: on websocket when everything written has left, on polling when a poll
 * waits. No public event says so, hence the look at each turn of the loop.
 */
export async function whenWritable(connection: { readonly transport: { readonly writable: boolean } }): Promise<void> {
  while (!connection.transport.writable) await new Promise((resolve) => setImmediate(resolve));
}
