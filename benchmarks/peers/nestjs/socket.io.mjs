import { IoAdapter } from "@nestjs/platform-socket.io";
import { readFile } from "node:fs/promises";
import { serveGateway } from "./serve-gateway.mjs";

// No export of the package.
const manifest = new URL("node_modules/@nestjs/platform-socket.io/package.json", import.meta.url);
const { version } = JSON.parse(await readFile(manifest, "utf8"));

await serveGateway(version, {}, (app) => app.useWebSocketAdapter(new IoAdapter(app)));
