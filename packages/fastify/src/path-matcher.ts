/** How the router of an application reads paths, besides decoding them. */
export interface PathRules {
  /** Default: true. */
  readonly caseSensitive?: boolean;
  /** Default: false. */
  readonly ignoreDuplicateSlashes?: boolean;
  /** Whether what follows a semicolon is no longer the path. Default: false. */
  readonly useSemicolonDelimiter?: boolean;
}

/**
 * Tells whether a request URL asks for a path of Fastify, with or without a slash at its end: what follows the path is the
 * query. Parameters such as `/:tenant` stand for one part. Whatever spelling the router takes for the path is the path here.
 */
export function pathMatcher(path: string, rules: PathRules = {}): (url: string) => boolean {
  const ignoresCase = rules.caseSensitive === false;
  const matches = plainMatcher(ignoresCase ? path.toLowerCase() : path);
  const plainly = ignoresCase || rules.ignoreDuplicateSlashes || rules.useSemicolonDelimiter ? /^$/ : /^\/[^%]*$/;
  return (url) => {
    if (matches(url)) return true;
    if (plainly.test(url)) return false;
    const asked = pathOf(url, rules);
    return asked !== undefined && matches(ignoresCase ? asked.toLowerCase() : asked);
  };
}

/** As the router reads it; undefined for what it cannot read. */
function pathOf(url: string, { ignoreDuplicateSlashes, useSemicolonDelimiter }: PathRules): string | undefined {
  // Proxies are asked for whole URLs.
  const local = url.replace(/^https?:\/\/[^/?#]*/i, "");
  const end = local.search(useSemicolonDelimiter ? /[?#;]/ : /[?#]/);
  const path = end < 0 ? local : local.slice(0, end);
  try {
    const decoded = decodeURI(path);
    return ignoreDuplicateSlashes ? decoded.replace(/\/{2,}/g, "/") : decoded;
  } catch {
    return undefined;
  }
}

function plainMatcher(path: string): (url: string) => boolean {
  if (!/[:*]/.test(path)) {
    return (url) => {
      if (!url.startsWith(path)) return false;
      const next = url.charCodeAt(path.length);
      return isEnd(next) || (next === SLASH && isEnd(url.charCodeAt(path.length + 1)));
    };
  }
  const parts = path.split("/").map((part) => (part.startsWith(":") ? "[^/?#]+" : escaped(part)));
  const pattern = new RegExp(`^${parts.join("/")}/?(?:[?#]|$)`);
  return (url) => pattern.test(url);
}

const SLASH = "/".charCodeAt(0);
const QUESTION = "?".charCodeAt(0);
const HASH = "#".charCodeAt(0);

function isEnd(charCode: number): boolean {
  return Number.isNaN(charCode) || charCode === QUESTION || charCode === HASH;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
