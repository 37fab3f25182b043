import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "./run.mjs";

const onPath = (name) => process.env.PATH.split(delimiter).some((folder) => existsSync(join(folder, name)));

/** The programs that tests talk to but npm does not bring, and the Debian package of each. */
const needed = [
  { package: "chromium", present: () => existsSync(process.env.CHROMIUM_PATH ?? "/usr/bin/chromium") },
  { package: "redis-server", present: () => onPath("redis-server") },
  // Debian keeps its programs off the path, by version. The server that the package may start is not used.
  { package: "postgresql", present: () => existsSync("/usr/lib/postgresql") },
];

/** Installs what is missing where that is ours to do (root on a machine with apt-get); says what to do elsewhere. */
export async function provision() {
  const missing = needed.filter(({ present }) => !present()).map((program) => program.package);
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && onPath("apt-get")) {
    console.log(`Installing ${missing.join(" and ")} for the tests...`);
    const install = [
      "env",
      "DEBIAN_FRONTEND=noninteractive",
      "apt-get",
      "install",
      "-y",
      "-qq",
      "--no-install-recommends",
    ];
    const updated = await run(["apt-get", "update", "-qq"]);
    const installed = await run([...install, ...missing]);
    if (installed.code === 0) return;
    console.log(updated.output + installed.output);
  }
  console.log(
    `Some tests will fail: they need ${missing.join(" and ")}, which could not be found.\n` +
      `On Debian: apt-get install --no-install-recommends ${missing.join(" ")}. ` +
      `CHROMIUM_PATH names a Chromium or Chrome elsewhere than /usr/bin/chromium.`,
  );
}
