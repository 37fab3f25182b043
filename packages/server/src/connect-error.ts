/** What the client is told of an error that keeps it out: nothing but the message, and `data` if the error has it. */
export function connectErrorOf(error: unknown): { readonly message: unknown; readonly data?: unknown } {
  if (typeof error !== "object" || error === null) return { message: String(error) };
  try {
    const { message, data } = error as { message?: unknown; data?: unknown };
    return { message: String(message), data };
  } catch {
    // What throws when it is read would end the process here.
    return { message: "refused" };
  }
}
