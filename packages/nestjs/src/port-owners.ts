/** Who serves a port of its own. */
interface PortOwner {
  readonly adapter: object;
  close(): Promise<void>;
}

// Hot reloading may load this file again: what it left behind is to be found nevertheless.
const KEY = Symbol.for("plugboard.nestjs.portOwners");
const global = globalThis as { [KEY]?: Map<number, PortOwner> };
const owners: Map<number, PortOwner> = (global[KEY] ??= new Map());

/**
 * Takes a port, and closes what another application has there.
 *
 * @returns what to wait for before listening; undefined when the port is free
 */
export function takePort(port: number, owner: PortOwner): Promise<void> | undefined {
  const previous = owners.get(port);
  owners.set(port, owner);
  return previous === undefined || previous.adapter === owner.adapter ? undefined : previous.close();
}

/** Forgets that an application has a port. */
export function releasePort(port: number, adapter: object): void {
  if (owners.get(port)?.adapter === adapter) owners.delete(port);
}
