import { createRequire } from "node:module";
import { io } from "@plugboard/client";
import { serveClient } from "./serve-client.mjs";

serveClient({ version: createRequire(import.meta.url)("@plugboard/client/package.json").version, io });
