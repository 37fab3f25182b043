/** Parameters of a request; values are turned into strings. */
export interface Query {
  [key: string]: any;
}

/** Encodes the parameters, keys too. */
export function queryString(query: Query): string {
  return Object.entries(query)
    .map((pair) => pair.map(encodeURIComponent).join("="))
    .join("&");
}

/** The reverse. A value may hold further `=`; a key without one has the value `""`. */
export function parseQuery(text: string): Query {
  const query: Query = {};
  for (const [, key, value] of text.matchAll(/([^&=]+)=?([^&]*)/g)) query[decode(key)] = decode(value);
  return query;
}

/** A lone `%` is no reason to fail: the text is taken as it stands. */
function decode(text: string | undefined): string {
  try {
    return decodeURIComponent(text as string);
  } catch {
    return text as string;
  }
}
