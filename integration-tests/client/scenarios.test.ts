import { it, onTestFinished } from "vitest";
import { listen, type ListeningServer } from "../support/listening-server.js";
import { scenarios } from "./scenarios/index.js";
import { RECOVERY_PATH } from "./scenarios/scenario.js";
import { serveScenarios } from "./scenarios/scenario-server.js";
import { clientSuite, travels, withTransports } from "./support/client-suite.js";

clientSuite("scenarios", ({ client, server }) => {
  async function startScenarioServers(): Promise<ListeningServer> {
    const listening = await listen(server, { maxHttpBufferSize: 4e6 }, {});
    const recovering = server.createServer(listening.webServer, { path: RECOVERY_PATH, connectionStateRecovery: {} });
    onTestFinished(() => {
      // The web server is that of the other one, which closes it.
      recovering.engine.close();
    });
    for (const io of [listening.io, recovering]) serveScenarios(io);
    return listening;
  }

  for (const travel of travels) {
    for (const [title, run] of Object.entries(scenarios)) {
      it(`${title}, over ${travel}`, async () => {
        const { url } = await startScenarioServers();

        await run(client.io, url, withTransports({ travel }));
      });
    }
  }
});
