import { MemoryRequest, message } from "@plugboard/testkit";
import { describe, expect, it } from "vitest";
import { resolveEngineOptions } from "../options.js";
import { jsonpPayload, jsonpScript } from "./jsonp.js";
import { PollingTransport } from "./polling.js";

describe("polling through scripts", () => {
  it("answers with a call that is valid JavaScript whatever the payload holds", () => {
    const payload = '4"\\\u2028\u2029</script>';
    expect(jsonpScript("3", payload)).toBe(String.raw`___eio[3]("4\"\\\u2028\u2029</script>");`);
  });

  it("keeps nothing but the digits of the index, which comes from the network", () => {
    expect(jsonpScript("1];alert(2)//", "4a")).toBe('___eio[12]("4a");');
    expect(jsonpScript("", "4a")).toBe('___eio[]("4a");');
  });

  it.each([
    ["d=4hello", "4hello"],
    ["d=4a%20b+c", "4a b c"],
    [String.raw`d=4line\nbreak`, "4line\nbreak"],
    [String.raw`d=4written\\n`, String.raw`4written\n`],
    ["x=1&d=4a&y=2", "4a"],
    ["", undefined],
    ["e=4a", undefined],
    ["__proto__=4a", undefined],
  ])("reads the form %j as %j", (body, payload) => {
    expect(jsonpPayload(body)).toBe(payload);
  });

  it("stays linear on a hostile form", () => {
    const start = performance.now();
    jsonpPayload(`d=4${"\\".repeat(1_000_000)}`);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it("is an answer of type JavaScript that browsers may not take for anything else", async () => {
    const transport = new PollingTransport(resolveEngineOptions(), "0");
    const answer = transport.handle(new MemoryRequest("/engine.io/?j=0"));
    transport.send([message("a")]);
    expect(await answer).toMatchObject({
      headers: { "Content-Type": "text/javascript; charset=UTF-8", "X-Content-Type-Options": "nosniff" },
      body: '___eio[0]("4a");',
    });
  });

  it("answers a form without data with ok", async () => {
    const transport = new PollingTransport(resolveEngineOptions(), "0");
    const answer = await transport.handle(new MemoryRequest("/engine.io/?j=0", { method: "POST", body: "nothing=1" }));
    expect(answer).toMatchObject({ status: 200, body: "ok" });
  });
});
