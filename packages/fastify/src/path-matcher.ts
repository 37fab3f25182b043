/**
 * Tells whether a request URL asks for a path of Fastify, with or without a slash at its end: what follows the path is the
 * query. Parameters such as `/:tenant` stand for one part.
 */
export function pathMatcher(path: string): (url: string) => boolean {
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
