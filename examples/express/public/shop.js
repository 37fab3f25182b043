/* global io */
const element = (id) => document.getElementById(id);
const say = (text) => (element("state").textContent = text);
const show = (cart) => {
  const items = cart.map((sku) => Object.assign(document.createElement("li"), { textContent: sku }));
  element("cart").replaceChildren(...items);
};

const socket = io({ autoConnect: false, reconnectionDelay: 200, reconnectionDelayMax: 1000 });
socket.on("connect", async () => {
  const { user, cart } = await socket.emitWithAck("cart");
  say(`logged in as ${user}`);
  show(cart);
});
socket.on("connect_error", (error) => {
  say(error.description === 401 ? "please log in" : "no connection");
  show([]);
});
socket.on("cart", show);
socket.connect();

element("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await fetch("/login", { method: "POST", body: new URLSearchParams(new FormData(event.target)) });
  // Not in the state: the socket tries again all the time, and says there how that went.
  element("answer").value = answer.ok ? "" : "wrong name or password";
  if (answer.ok) socket.disconnect().connect();
});
element("add").addEventListener("submit", async (event) => {
  event.preventDefault();
  const sku = event.target.elements.sku.value;
  const answer = await socket.emitWithAck("cart:add", { sku });
  if (answer.status === "error") say(answer.message);
  else show((await socket.emitWithAck("cart")).cart);
});
element("logout").addEventListener("click", () => fetch("/logout", { method: "POST" }));
