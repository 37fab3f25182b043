import express, { type Request, type RequestHandler, type Response } from "express";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { keepingRefusals, type Refusals } from "./gate.js";

/** Runs a gate for one request. */
async function run(gate: RequestHandler): Promise<{ refusal: Error | undefined; res: Response }> {
  const refusals: Refusals = new WeakMap();
  const req = new IncomingMessage(new Socket()) as Request;
  const app = express();
  Object.setPrototypeOf(req, app.request);
  const res = Object.setPrototypeOf(new ServerResponse(req), app.response) as Response;
  Object.assign(res, { req, locals: {} });
  Object.assign(req, { res });
  res.append("set-cookie", "a=1");
  await new Promise<void>((resolve, reject) => {
    keepingRefusals(gate, refusals)(req, res, (error?: unknown) => (error ? reject(error as Error) : resolve()));
  });
  return { refusal: refusals.get(req), res };
}

describe("keepingRefusals", () => {
  it("lets through whom the gate lets through", async () => {
    expect((await run((_req, _res, next) => next())).refusal).toBe(undefined);
  });

  it("leaves on the answer of whom it lets through what the gate has set, beside what was there", async () => {
    const { refusal, res } = await run((_req, answer, next) => {
      answer.append("set-cookie", "b=2").set("x-account", "7");
      next();
    });
    expect(refusal).toBe(undefined);
    expect(res.getHeaders()).toMatchObject({ "set-cookie": ["a=1", "b=2"], "x-account": "7" });
  });

  it("keeps an answer as text as the message, and its status", async () => {
    const { refusal, res } = await run((_req, answer) => void answer.sendStatus(401));
    expect(refusal).toMatchObject({ message: "Unauthorized", status: 401 });
    expect(res.headersSent).toBe(false);
  });

  it("keeps an answer as JSON as data, with its message", async () => {
    const gate: RequestHandler = (_req, res) => void res.status(403).json({ message: "not yours", owner: "bob" });
    const { refusal } = await run(gate);
    expect(refusal).toMatchObject({ message: "not yours", status: 403, data: { message: "not yours", owner: "bob" } });
    expect((await run((_req, res) => void res.status(403).json(null))).refusal).toMatchObject({ message: "refused" });
  });

  it("keeps an answer without a body", async () => {
    expect((await run((_req, res) => void res.status(402).end())).refusal).toMatchObject({
      message: "refused",
      status: 402,
    });
  });

  it.each([
    ["passes on", (_req, _res, next) => next(new Error("no"))],
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["rejects with", () => Promise.reject(new Error("no"))],
    ["passes on as a text", (_req, _res, next) => next("no")],
  ] as [string, RequestHandler][])("keeps an error that the gate %s", async (_way, gate) => {
    expect((await run(gate)).refusal?.message).toBe("no");
  });

  it("keeps a refusal whose type says JSON and whose body is none", async () => {
    const gate: RequestHandler = (_req, res) => void res.status(401).type("json").end("{");
    expect((await run(gate)).refusal).toMatchObject({ message: "{", status: 401 });
  });
});
