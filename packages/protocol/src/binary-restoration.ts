import { isObject } from "./binary-extraction.js";
import { ProtocolError } from "./protocol-error.js";

/**
 * Puts the attachments where their placeholders stand in `data`, which the decoder parsed itself and therefore may
 * change. Any object with `_placeholder === true` is a placeholder, and several may name one attachment.
 *
 * Walks without recursion, each container once: depth costs no stack, and what a reviver returned may be shared or
 * circular.
 * @throws ProtocolError `SIO_ILLEGAL_PLACEHOLDER` when a placeholder names no attachment
 */
export function restoreBinary(data: object, attachments: readonly object[]): void {
  const containers = new Set<object>([data]);
  // Iterating a set also visits what is added on the way.
  for (const container of containers) {
    for (const key of Object.keys(container)) {
      const value = (container as Record<string, unknown>)[key];
      if (!isObject(value)) continue;
      const { _placeholder, num } = value as { _placeholder?: unknown; num?: unknown };
      if (_placeholder !== true) containers.add(value);
      else {
        const attachment = typeof num === "number" && attachments[num];
        // The key is an own one: even `__proto__` is set where it stands. Only an object that a reviver froze refuses.
        if (!attachment || !Reflect.set(container, key, attachment))
          throw new ProtocolError("SIO_ILLEGAL_PLACEHOLDER", "illegal attachments");
      }
    }
  }
}
