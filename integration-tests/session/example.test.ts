import { expect, it } from "vitest";
import { startExample } from "../support/example-process.js";
import { nextEvent } from "../support/next-event.js";
import { Browser, clientKinds } from "./browser.js";

it.each(clientKinds)("the example keeps a cart and ends sockets with their session, with $name", async (kind) => {
  const { url, stop } = await startExample("bare-node/session.js");

  const [error] = (await nextEvent(new Browser(url).open(kind), "connect_error")) as [Error];
  expect(error.message).toBe("log in first");

  const browser = new Browser(url);
  await browser.fetch("POST", "/login?user=ada");
  const [socket, other] = [await browser.connect(kind), await browser.connect(kind)];
  const told = nextEvent(other, "cart");
  expect(await socket.emitWithAck("cart:add", "tea")).toEqual({ count: 1 });
  expect((await told)[0]).toEqual(["tea"]);
  expect(await (await browser.fetch("POST", "/cart?item=milk")).text()).toBe("2\n");
  expect(await socket.emitWithAck("cart:clear")).toEqual({ removed: 2 });

  const refused = Promise.all([socket, other].map((each) => nextEvent(each, "connect_error")));
  await browser.fetch("POST", "/logout");
  expect((await refused).map(([reason]) => (reason as Error).message)).toEqual(["log in first", "log in first"]);

  expect(await stop()).toBe(0);
});
