import { describe, expect, it } from "vitest";
import type { HttpRequestLike } from "@plugboard/engine";

/** A request as a host makes it, with its client in the hands of the test. */
export interface RequestUnderTest {
  readonly request: HttpRequestLike;
  /** Ends the body, if it is unfinished. */
  finishBody(): void;
  /** The client disappears. */
  goAway(): void;
}

/** What the client asks for. Header names are lowercase. */
export interface RequestWanted {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Leaves the body unfinished. */
  readonly isSlow: boolean;
}

/** What every host owes the engine. */
export function httpRequestContract(name: string, create: (wanted: RequestWanted) => Promise<RequestUnderTest>): void {
  describe(`the HTTP request contract, kept by ${name}`, () => {
    const start = (wanted: Partial<RequestWanted> = {}): Promise<RequestUnderTest> =>
      create({ method: "POST", url: "/p?a=1", headers: {}, body: "", isSlow: false, ...wanted });
    const text = async (request: HttpRequestLike, maxBytes = 100): Promise<string> =>
      new TextDecoder().decode(await request.readBody(maxBytes));

    it("tells method, URL, query and header fields", async () => {
      const { request } = await start({ url: "/p?a=1&b=%20&a=2&__proto__=x", headers: { "x-one": "1" } });
      expect(request.method).toBe("POST");
      expect(request.url).toBe("/p?a=1&b=%20&a=2&__proto__=x");
      expect(Object.entries(request.query)).toEqual([
        ["a", "2"],
        ["b", " "],
        ["__proto__", "x"],
      ]);
      expect("constructor" in request.query).toBe(false);
      expect(request.header("x-one")).toBe("1");
      expect(request.header("x-two")).toBeUndefined();
    });

    it("reads the whole body, up to the limit exactly", async () => {
      const { request } = await start({ body: "€".repeat(5) });
      expect(await text(request, 15)).toBe("€".repeat(5));
      expect(await text((await start()).request)).toBe("");
    });

    it("refuses a body over the limit", async () => {
      const { request } = await start({ body: "x".repeat(101) });
      await expect(request.readBody(100)).rejects.toMatchObject({ code: "EIO_BODY_TOO_LARGE" });
    });

    it("waits for a body that is slow", async () => {
      const { request, finishBody } = await start({ body: "slow", isSlow: true });
      const body = text(request);
      finishBody();
      expect(await body).toBe("slow");
    });

    it("tells that the client went away in the middle of its body", async () => {
      const { request, goAway } = await start({ body: "half", isSlow: true });
      const body = request.readBody(100);
      goAway();
      await expect(body).rejects.toMatchObject({ code: "EIO_BODY_ABORTED" });
    });

    it("tells once that the client went away before its answer", async () => {
      const { request, goAway } = await start();
      let calls = 0;
      const gone = new Promise<void>((resolve) =>
        request.onAbort(() => {
          calls++;
          resolve();
        }),
      );
      goAway();
      await gone;
      expect(calls).toBe(1);
    });
  });
}
