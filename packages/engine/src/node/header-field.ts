import { validateHeaderName, validateHeaderValue } from "node:http";

/** @throws TypeError for a name or value that would end its line: it could pass for fields of somebody else's making */
export function validateField(name: string, value: string | readonly string[]): void {
  validateHeaderName(name);
  for (const line of typeof value === "string" ? [value] : value) validateHeaderValue(name, line);
}
