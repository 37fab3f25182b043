/** Cookies by name, as plain values: what a header cannot carry is percent-encoded, as servers expect. */
export type CookieValues = Readonly<Record<string, string>>;

/** A token of RFC 9110: all that a name may consist of. */
const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
/** Visible characters but the semicolon, at which the next cookie would begin. Those that RFC 6265 does not want are sent all the same. */
const PAIR_VALUE = /^[^\x00-\x1f;\x7f-\uffff]*$/;

/**
 * What the `cookie` header is to carry.
 *
 * @param cookies - values by name; or texts as they go over the wire, `name=value`, whose attributes are left out: those of
 * `set-cookie` headers will do
 * @throws TypeError for a name or a value that would not arrive as it is
 */
export function cookieHeader(cookies: CookieValues | readonly string[]): string {
  if (!Array.isArray(cookies)) {
    return Object.entries(cookies as CookieValues)
      .map(([name, value]) => checkedPair(name, encodeURIComponent(value)))
      .join("; ");
  }
  return (cookies as readonly string[])
    .map((line) => {
      const [pair = ""] = line.split(";");
      const at = pair.indexOf("=");
      if (at < 0) throw new TypeError(`a cookie without a value: ${JSON.stringify(line)}`);
      return checkedPair(pair.slice(0, at).trim(), pair.slice(at + 1).trim());
    })
    .join("; ");
}

function checkedPair(name: string, value: string): string {
  if (!NAME.test(name) || !PAIR_VALUE.test(value)) {
    throw new TypeError(`cannot be sent as a cookie: ${JSON.stringify(`${name}=${value}`)}`);
  }
  return `${name}=${value}`;
}
