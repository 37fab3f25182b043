import { createRequire } from "node:module";
import { io } from "socket.io-client";
import { serveClient } from "./serve-client.mjs";

serveClient({ version: createRequire(import.meta.url)("socket.io-client/package.json").version, io });
