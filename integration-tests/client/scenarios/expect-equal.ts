/** Throws unless both are the same, deeply. Bytes are the same whatever holds them; what is expected is plain. */
export function expectEqual(actual: unknown, expected: unknown, what = "value"): void {
  const [seen, wanted] = [plain(actual), plain(expected)];
  if (seen !== wanted) throw new Error(`${what}: expected ${shortened(wanted)}, got ${shortened(seen)}`);
}

/** A text that is the same for equal values only. */
function plain(value: unknown): string {
  if (value === undefined) return "undefined";
  if (typeof value === "number") return String(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const bytes = bytesOf(value);
  if (bytes !== undefined) return `bytes(${bytes.length > 1000 ? textOf(bytes) : bytes.join()})`;
  if (Array.isArray(value)) return `[${value.map(plain).join()}]`;
  const entries = Object.entries(value).map(([key, entry]) => `${JSON.stringify(key)}:${plain(entry)}`);
  return `{${entries.toSorted().join()}}`;
}

/** Objects of another realm are no instances of ours, hence the tag. */
function bytesOf(value: object): Uint8Array | undefined {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return Object.prototype.toString.call(value) === "[object ArrayBuffer]"
    ? new Uint8Array(value as ArrayBuffer)
    : undefined;
}

/** One character a byte: numbers would take long to write where there are many. */
function textOf(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length; start += 8192) {
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  }
  return text;
}

function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
