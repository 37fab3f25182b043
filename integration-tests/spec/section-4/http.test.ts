import { once } from "node:events";
import { request, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket as TcpSocket } from "node:net";
import type { TLSSocket } from "node:tls";
import { expect, it, vi } from "vitest";
import { connectPair, singleTransports } from "../../support/connect-client.js";
import { stopTimers } from "../../support/fake-clock.js";
import { interopSuite } from "../../support/interop-suite.js";
import {
  endpoint,
  openRawPolling,
  openRawWebSocket,
  rawUpgrade,
  type EngineSession,
} from "../../support/raw-session.js";
import { selfSignedCertificate } from "../../support/self-signed-certificate.js";
import { nextEvent } from "../../support/next-event.js";
import { whenWritable } from "../../support/when-writable.js";

/** Certificate and key of `selfSignedCertificate` in one PKCS #12 file; its passphrase is "secret". */
const pfx = Buffer.from(
  `
MIIEHAIBAzCCA9IGCSqGSIb3DQEHAaCCA8MEggO/MIIDuzCCAnIGCSqGSIb3DQEHBqCCAmMwggJfAgEAMIICWAYJKoZIhvcNAQcBMFcGCSqGSI
b3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiWNeIjSisbVAICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEN0PNZALG7M6UeQqpLRTZiOA
ggHw9ZAK1w6cNOOlINPy8zZ4d5zDOSkW+o50itxfGzd6E1esCEVE7YpxOL28lLPeOwgP/a+oJY413GPHrMuNqQWpRfLhBgcGyjLDs1r9EHR1t7
gOh54fq/ruV/SUdia9GtrLJoCTymZgIw35XGBnHvmVMf02Y/oR1iqlwxoyONRPZrfo8BeCasjHSrca2HQgylWpg/+xa45jxaaL6P5c4Jy6SIZv
hf+2iQEImwBBJ0CA8/9ze0UQY1M0l0jfLn7BLUDEQM6p3iHikASKGzk69Z9FvnokDSG8C8eYF4G0sNx6Ff7bDlaT4UcGM13T5fmBvjYkUXKDaH
zfL47hkccJJeAEAwSTceeC4NUF5AALfXa/v/I0iss0vLZLCmOODB1IlE0RqMBY0yV8yg5R1symdR8F73fbPEr/4U8jJfXjlTET6WG5P4sWKK8W
UdvEXnc0kMiOPdBT0qBKAz+VIkTXc2jW7JJkmfEsb82XPgUgQs/7xQfFT2bhqk4CwXCB7qsWSobSdoT/HIT4ryyTaeeG2YJ3n0cBgpki3H74qE
CwVu5WW3i3tk90xuuQza/3nODQnDKcJAbtLZ5c6cE/fKrnHImyV7H6W7dHFf3BuxgohIN4mv6Opz+nXz941VA958w2QJPYTLZ3iSH7U/ZnFHi7
Z8xTnTCCAUEGCSqGSIb3DQEHAaCCATIEggEuMIIBKjCCASYGCyqGSIb3DQEMCgECoIHvMIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDD
AcBAiT0jp82pPfvQICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEF5sElAFDR6DfZcjhxCzZHAEgZAQn6tSpNqgoX9W1oTGg/0ZKsSC
0DRjU3md0qH70jKsXVvHelhVBwdbStODCUOn5HWCnRjRo52RDURp1+K3ehCgguRtuN4QoxsQniRSVGfB5eeB0YSbCxLls06KRkLCLaFOe8WarV
k1P8LKLtOx0sNOaP8h1mhZB2+b5WghWv2c83eZ/5R71e9sU/H/rfC0jdYxJTAjBgkqhkiG9w0BCRUxFgQU+8qyylKeh4A8v1r8LGKcUatFGUMw
QTAxMA0GCWCGSAFlAwQCAQUABCDdBLoe7fOQcSKvFBAp7gBNK4peeFTMCTLrgKfKHBstwQQIRTOoW5WhqkMCAggA
`,
  "base64",
);

/** As session middlewares do it: the cookie is decided on when the head of the answer is about to be written. */
function lateCookie(_req: unknown, res: ServerResponse, next: () => void): void {
  const writeHead = res.writeHead;
  res.writeHead = function (this: ServerResponse, ...args: Parameters<typeof writeHead>) {
    this.setHeader("Set-Cookie", "late=1");
    return writeHead.apply(this, args);
  } as typeof writeHead;
  next();
}

interopSuite("HTTP", ({ startServer }) => {
  it("compresses from the threshold on, counted in bytes, unless the message says no", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const encodingOf = async (data: string, accepted: string, compress = true): Promise<string | null> => {
      session.send(data, { compress });
      const { body, headers } = await peer.poll({ headers: { "accept-encoding": accepted } });
      expect(body).toBe(`4${data}`);
      return headers.get("content-encoding");
    };

    expect(await encodingOf("é".repeat(511), "gzip")).toBeNull();
    expect(await encodingOf("é".repeat(512), "gzip")).toBe("gzip");
    expect(await encodingOf("é".repeat(512), "gzip", false)).toBeNull();
    expect(await encodingOf("é".repeat(512), "gzip, deflate")).toBe("gzip");
    expect(await encodingOf("é".repeat(512), "deflate")).toBe("deflate");
  });

  it("compresses ten bytes when the threshold is 0", async () => {
    const server = await startServer({ httpCompression: { threshold: 0 } });
    const { peer, session } = await openRawPolling(server);

    session.send("012345678");
    const { body, headers } = await peer.poll({ headers: { "accept-encoding": "gzip" } });

    expect(body).toBe("4012345678");
    expect(headers.get("content-encoding")).toBe("gzip");
  });

  it("knows the address of a client of either transport", async () => {
    const server = await startServer();

    const polling = await openRawPolling(server);
    const websocket = await openRawWebSocket(server);

    expect(Reflect.get(polling.session, "remoteAddress")).toBe("127.0.0.1");
    expect(Reflect.get(websocket.session, "remoteAddress")).toBe("127.0.0.1");
  });

  it("lets a middleware set a cookie when the head of a polling answer is written", async () => {
    const server = await startServer();
    server.io.engine.use(lateCookie);

    const response = await fetch(`${endpoint(server)}?EIO=4&transport=polling`);

    expect(response.headers.getSetCookie()).toEqual(["late=1"]);
  });

  it("lets a middleware set a cookie when the head of an upgrade is written", async () => {
    const server = await startServer();
    server.io.engine.use(lateCookie);
    const req = request(`${endpoint(server)}?EIO=4&transport=websocket`, {
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      },
    }).end();

    const [response, socket] = (await once(req, "upgrade")) as [IncomingMessage, TcpSocket];
    socket.destroy();

    expect(response.headers["set-cookie"]).toEqual(["late=1"]);
  });

  it.each(singleTransports)("takes the certificate of a client from a PKCS #12 file over %s", async (travel) => {
    const { cert, key } = selfSignedCertificate;
    const webServer = createTlsServer({ cert, key, ca: cert, requestCert: true, rejectUnauthorized: true });
    const server = await startServer({}, { webServer });

    const { socket } = await connectPair(server, { travel, ca: cert, pfx: pfx as never, passphrase: "secret" });

    expect((socket.request.socket as TLSSocket).authorized).toBe(true);
  });

  it("answers a poll of a probing session with exactly `6` in a fraction of a second", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const probe = rawUpgrade(server, peer);
    await probe.opened();
    const upgrading = nextEvent(session, "upgrading");
    probe.send("2probe");
    await upgrading;
    const since = performance.now();

    expect((await peer.poll()).body).toBe("6");

    // Not by the end of the upgrade, for which there are ten seconds.
    expect(performance.now() - since).toBeLessThan(8000);
  });

  it("pings a waiting poll with exactly `2` under the settings of the protocol suite", async () => {
    const server = await startServer({
      pingInterval: 300,
      pingTimeout: 200,
      maxHttpBufferSize: 1e6,
      cors: { origin: "*" },
    });
    stopTimers();
    const accepted = nextEvent<[EngineSession]>(server.io.engine, "connection");
    const handshake = await fetch(`${endpoint(server)}?EIO=4&transport=polling`);
    const { sid, ...told } = JSON.parse((await handshake.text()).slice(1)) as { sid: string };

    const answer = fetch(`${endpoint(server)}?EIO=4&transport=polling&sid=${sid}`);
    await whenWritable((await accepted)[0]);
    vi.advanceTimersByTime(300);
    const poll = await answer;

    expect(told).toEqual({ upgrades: ["websocket"], pingInterval: 300, pingTimeout: 200, maxPayload: 1_000_000 });
    expect(await poll.text()).toBe("2");
    expect(poll.headers.get("access-control-allow-origin")).toBe("*");
  });
});
