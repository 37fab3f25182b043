const byId = (id) => document.getElementById(id);
const show = (id, text) => (byId(id).textContent = text);
const { who, room } = byId("join").elements;
const { text, image } = byId("chat").elements;

const asked = new URLSearchParams(location.search);
who.value = asked.get("name") ?? `guest-${Math.floor(Math.random() * 1000)}`;
room.value = asked.get("room") ?? "lobby";

const socket = globalThis.io({ reconnectionDelay: 300, reconnectionDelayMax: 2000 });
const join = () => socket.emit("join", room.value, who.value);

function log(...parts) {
  const line = document.createElement("li");
  line.append(...parts);
  byId("log").append(line);
  line.scrollIntoView({ block: "nearest" });
}

socket.io.on("open", () => {
  const { engine } = socket.io;
  const first = engine.transport.name;
  show("transport", first);
  engine.once("upgrade", (transport) => show("transport", `${first}, then ${transport.name}`));
});
socket.on("connect", () => {
  byId("banner").hidden = true;
  byId("composer").disabled = false;
  join();
});

socket.on("disconnect", (reason) => {
  byId("banner").hidden = false;
  byId("composer").disabled = true;
  show("banner", `Connection lost (${reason}). Reconnecting...`);
  for (const id of ["transport", "latency", "presence"]) show(id, "-");
});
socket.io.on("reconnect_attempt", (attempt) =>
  show("banner", `The server is away. Reconnecting, attempt ${attempt}...`),
);

socket.on("presence", (name, names) => show("presence", names.join(", ")));
socket.on("chat", (name, message) => log(`${name}: ${message}`));
socket.on("image", (name, bytes, type) => {
  const picture = new Image();
  picture.src = URL.createObjectURL(new Blob([bytes], { type }));
  log(`${name} sent ${bytes.byteLength} bytes (${bytes.constructor.name}):`, picture);
});

setInterval(() => {
  const start = performance.now();
  const answered = (error) => error === null && show("latency", `${(performance.now() - start).toFixed(1)} ms`);
  if (socket.connected) socket.timeout(5000).emit("probe", answered);
}, 1000);

byId("join").addEventListener("submit", (event) => {
  event.preventDefault();
  byId("log").replaceChildren();
  join();
});
byId("chat").addEventListener("submit", (event) => {
  event.preventDefault();
  socket.emit("chat", text.value);
  text.value = "";
});
image.addEventListener("change", async () => {
  const [file] = image.files;
  if (file?.size > 4_000_000) log("That image is too large: at most 4 MB.");
  else if (file !== undefined) socket.emit("image", await file.arrayBuffer(), file.type);
  image.value = "";
});
