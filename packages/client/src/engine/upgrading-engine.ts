import type { WritePacket } from "../transports/transport.js";
import { Engine, type Handshake, nameOf } from "./engine.js";
import { probe } from "./upgrade.js";
import { countFitting } from "./write-buffer.js";

/** Whether the last engine of this process that opened did so on websocket, for `rememberUpgrade`. */
let websocketWorked = false;

/**
 * An engine that has several transports: it changes over to a better one, may try one after the other, and keeps to
 * the limit that polling has.
 *
 * The constructor of its base class calls its methods already, so it has no fields that would be initialised afterwards.
 */
export class UpgradingEngine extends Engine {
  /** Whether the transport in use is about to be replaced: nothing is sent meanwhile. */
  declare upgrading: boolean | undefined;
  /** Most bytes of a polling request; undefined or 0 for no limit. */
  declare _maxPayload: number | undefined;

  override _closeWhenIdle(): void {
    if (!this.upgrading) return super._closeWhenIdle();
    const done = (): void => {
      this.off("upgrade", done).off("upgradeError", done);
      // What was written during the upgrade leaves after it.
      this._closeWhenIdle();
    };
    this.on("upgrade", done).on("upgradeError", done);
  }

  override _open(): void {
    if (this.opts.rememberUpgrade && websocketWorked) {
      const isOther = (name: string): number => Number(name !== "websocket");
      this._transports.sort((a, b) => isOther(nameOf(a)) - isOther(nameOf(b)));
    }
    super._open();
  }

  override _flush(): void {
    if (!this.upgrading) super._flush();
  }

  override _nextBatch(): WritePacket[] {
    const packets = super._nextBatch();
    if (this._maxPayload && this.transport.name === "polling") {
      packets.length = countFitting(packets, this._maxPayload);
    }
    return packets;
  }

  override _onHandshake(handshake: Handshake): void {
    websocketWorked = this.transport.name === "websocket";
    this._maxPayload = handshake.maxPayload;
    super._onHandshake(handshake);
    // Not if a listener has closed it.
    if (this.readyState === "open" && this.opts.upgrade !== false) upgrade(this, handshake.upgrades ?? []);
  }

  override _fail(error: unknown): void {
    websocketWorked = false;
    if (this.readyState !== "opening" || !this.opts.tryAllTransports || this._transports.length < 2) {
      return super._fail(error);
    }
    this._transports.shift();
    this.transport?.off();
    this._open();
  }
}

/** Tries what this side has and the server offers. */
function upgrade(engine: UpgradingEngine, upgrades: readonly string[]): void {
  const candidates = engine._transports.filter((candidate) => upgrades.includes(nameOf(candidate)));
  const headStart = upgrades.includes("webtransport") && candidates.length > 1;
  for (const candidate of candidates) {
    websocketWorked = false;
    try {
      probe(engine, engine._create(candidate), headStart);
    } catch (error) {
      engine.emitReserved("upgradeError", error);
    }
  }
  engine.once("upgrading", (transport: { name: string }) => {
    websocketWorked = transport.name === "websocket";
  });
}
