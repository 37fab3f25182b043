import type { ServerOptions } from "./options.js";

/**
 * The options of a server and its engine. A server takes whatever it is given, as the reference does, for programs that move here
 * bring what they have; integrations refuse what is not listed here, for what is written for them is new.
 */
export const SERVER_OPTION_NAMES: readonly string[] = Object.keys({
  adapter: true,
  addTrailingSlash: true,
  allowEIO3: true,
  allowRequest: true,
  allowUpgrades: true,
  checkOrigin: true,
  cleanupEmptyChildNamespaces: true,
  compat: true,
  connectTimeout: true,
  connectionStateRecovery: true,
  cookie: true,
  cors: true,
  destroyUpgrade: true,
  destroyUpgradeTimeout: true,
  handlerTimeout: true,
  httpCompression: true,
  initialPacket: true,
  maxBufferedBytes: true,
  maxBufferedPackets: true,
  maxDynamicNamespaces: true,
  maxEventsPerSecond: true,
  maxHandshakesPerSecond: true,
  maxHttpBufferSize: true,
  maxNamespacesPerClient: true,
  maxPendingConnects: true,
  onListenerError: true,
  parser: true,
  path: true,
  perMessageDeflate: true,
  pingInterval: true,
  pingTimeout: true,
  serveClient: true,
  slowConsumer: true,
  transports: true,
  upgradeTimeout: true,
  wsEngine: true,
} satisfies Record<keyof ServerOptions, true>);

/** More names than this are no help to who has mistyped one. */
const MAX_NAMES_TOLD = 20;

/**
 * Finds the first option that there is not, and says so.
 *
 * @param owner - whose options they are, for people: `"socketio"`
 * @param given - the options; only their names count
 * @param known - names of those that there are
 * @returns a sentence that names the option and the known one that is nearest; undefined if all are known
 */
export function unknownOption(owner: string, given: object, known: readonly string[]): string | undefined {
  const name = Object.keys(given).find((each) => !known.includes(each));
  if (name === undefined) return undefined;
  const nearest = nearestName(name, known);
  const guess = nearest === undefined ? "" : ` (did you mean ${JSON.stringify(nearest)}?)`;
  const names = known.length > MAX_NAMES_TOLD ? "" : `: there are ${known.join(", ")}`;
  return `there is no option ${JSON.stringify(name)} of ${owner}${guess}${names}`;
}

/** The known name with the fewest edits to it, unless those are too many for a slip. */
function nearestName(name: string, known: readonly string[]): string | undefined {
  const asked = name.toLowerCase();
  const [nearest] = known
    .map((each) => ({ each, edits: editsBetween(asked, each.toLowerCase()) }))
    .toSorted((a, b) => a.edits - b.edits);
  const isSlip = nearest !== undefined && nearest.edits <= Math.max(2, name.length / 3);
  return isSlip && nearest.edits < name.length / 2 ? nearest.each : undefined;
}

/** How many letters have to be added, left out or changed to make one of the other. */
function editsBetween(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, (previous[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    previous = row;
  }
  return previous[b.length] as number;
}
