/** The entries of spec/server.md section 5, in its order, then the gaps named below its table. */
export const ENTRIES: readonly string[] = [
  "CVE-2017-16031",
  "CVE-2020-28481",
  "CVE-2020-36048",
  "CVE-2020-36049",
  "CVE-2022-21676",
  "CVE-2022-2421",
  "CVE-2022-41940",
  "CVE-2023-31125",
  "CVE-2023-32695",
  "CVE-2024-38355",
  "CVE-2024-37890",
  "CVE-2021-32640",
  "CVE-2016-10518",
  "CVE-2016-10542",
  "CVE-2026-45736",
  "CVE-2026-48779",
  "the 2017 Sec-WebSocket-Extensions DoS",
  "CVE-2026-33151",
  "CVE-2026-59725",
  "CVE-2026-69185",
  "no id known, engine.io after 6.6.9",
  "no id, engine.io 6.6.7/6.6.8",
  "no id, engine.io 6.6.1",
  "gap: duplicate pending CONNECTs",
  "gap: replayable recovery sessions",
  "gap: unbounded stored packets",
  "gap: pong timer lost at upgrade",
  "gap: unlimited namespaces per client",
  "gap: dynamic namespaces per pattern",
  "gap: connection idle after leaving all namespaces",
  "gap: io.close() without engine",
  "gap: JSONP served as text/plain",
];

/** A part of an entry that is about something that is not served yet. */
interface LaterPart {
  readonly entry: string;
  /** The section of spec/server.md that it waits for. */
  readonly section: string;
}

export const LATER: readonly LaterPart[] = [
  { entry: "CVE-2020-36048", section: "1.19" },
  { entry: "no id, engine.io 6.6.7/6.6.8", section: "1.20" },
  { entry: "no id, engine.io 6.6.1", section: "1.21" },
];
