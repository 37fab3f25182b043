import { Encoder, isPacketValid, type Packet, ProtocolError } from "@plugboard/protocol";

const encoder = new Encoder();
const NAMES = ["CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR"] as const;

/** What decoding gave, in a word. */
export function describePacket(packet: Packet): string {
  return `${NAMES[packet.type as 0]}${packet.data === undefined ? " without data" : ""}`;
}

/** The code of a declared error; anything else is thrown on. */
export function declaredCode(error: unknown): string {
  if (error instanceof ProtocolError) return error.code;
  throw error;
}

/** @throws when a receiver could not rely on the packet */
export function checkPacket(packet: Packet): void {
  const { type, nsp, id, data } = packet;
  const sound = data === undefined ? type <= 4 && typeof nsp === "string" : isPacketValid(packet);
  if (!sound || !nsp.startsWith("/")) throw new Error("the decoder let a packet pass that is not valid");
  if (id !== undefined && !Number.isSafeInteger(id)) throw new Error(`the id ${id} is not safe`);
}

/** @throws when there is something in the data that neither JSON nor an attachment can have brought */
export function checkData(data: object): void {
  const containers: object[] = [data];
  for (const container of containers) {
    for (const value of Object.values(container) as unknown[]) {
      if (value === undefined || typeof value === "function") throw new Error("a placeholder was replaced by nothing");
      if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value)) containers.push(value);
    }
  }
}

/** The chunks of a decoded packet; undefined when it is nested too deeply to be sent. */
export function encodeAgain(packet: Packet): Array<string | Uint8Array> | undefined {
  try {
    return encoder.encode(packet);
  } catch (error) {
    if (declaredCode(error) !== "SIO_DATA_TOO_DEEP") throw error;
    return undefined;
  }
}
