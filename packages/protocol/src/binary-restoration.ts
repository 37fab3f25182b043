import { ProtocolError } from "./protocol-error.js";

/**
 * Puts the attachments where their placeholders stand in `data`, which the decoder parsed itself and therefore may
 * change. Any object with `_placeholder === true` is a placeholder, and several may name one attachment.
 *
 * Walks without recursion, each container once: depth costs no stack, and what a reviver returned may be shared or
 * circular.
 * @throws ProtocolError `SIO_ILLEGAL_PLACEHOLDER` when a placeholder names no attachment
 */
export function restoreBinary(data: object, attachments: readonly unknown[]): void {
  const containers = new Set<object>([data]);
  // Iterating a set also visits what is added on the way.
  for (const container of containers) {
    for (const key of Object.keys(container)) {
      const value = (container as Record<string, unknown>)[key];
      if (typeof value !== "object" || value === null) continue;
      if ((value as { _placeholder?: unknown })._placeholder === true) {
        replace(container, key, attachmentOf((value as { num?: unknown }).num, attachments));
      } else {
        containers.add(value);
      }
    }
  }
}

function attachmentOf(num: unknown, attachments: readonly unknown[]): unknown {
  if (!Number.isInteger(num) || (num as number) < 0 || (num as number) >= attachments.length) {
    throw new ProtocolError("SIO_ILLEGAL_PLACEHOLDER");
  }
  return attachments[num as number];
}

/** The key is an own one: even `__proto__` is set where it stands. Only an object that a reviver froze refuses. */
function replace(container: object, key: string, value: unknown): void {
  if (!Reflect.set(container, key, value)) throw new ProtocolError("SIO_ILLEGAL_PLACEHOLDER");
}
