/*
 * Polling through <script> elements and forms, for pages that may not send requests across origins (spec/server.md 1.18).
 */
import { parseQuery } from "../http-port.js";

/** The answer to a poll: a call of the function that the page has put up under this index. */
export function jsonpScript(index: string, payload: string): string {
  // Both are line ends to JavaScript, but not to JSON.
  const literal = JSON.stringify(payload).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
  return `___eio[${index.replaceAll(/\D/g, "")}](${literal});`;
}

/**
 * The payload in the body of a form post.
 *
 * @returns undefined when the form has no field `d`
 */
export function jsonpPayload(body: string): string | undefined {
  const { d } = parseQuery("?" + body);
  // The page writes a line feed as \n, because forms would turn it into CR LF, and a real \n as \\n.
  return d?.replaceAll(/(\\?)\\n/g, (_match, escaped: string) => (escaped === "" ? "\n" : "\\n"));
}
