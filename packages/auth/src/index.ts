import type { EventsMap } from "@plugboard/server";
import type { RevokeOptions } from "./credentials.js";
import type { RevocationTarget } from "./revocations.js";
import type { Credentials } from "./verified.js";

export { credentials, type CredentialsHandle, type RevokeOptions } from "./credentials.js";
export type { CredentialsOptions, RefusedCredentials, VerifyContext } from "./options.js";
export { type RefusalCode, type RefusalError, VerifierUnavailableError } from "./refusal.js";
export type { Revocation, RevocationStore, RevocationTarget, RevocationTimes } from "./revocations.js";
export type { TokenCarrier } from "./token-source.js";
export type { Credentials } from "./verified.js";

declare module "@plugboard/server" {
  interface Server<
    ListenEvents extends EventsMap,
    EmitEvents extends EventsMap,
    ServerSideEvents extends EventsMap,
    SocketData,
  > {
    /** That of the handle which `credentials(io, ...)` returns. */
    revoke(target: RevocationTarget, options?: RevokeOptions): Promise<void>;
  }

  interface Socket<
    ListenEvents extends EventsMap,
    EmitEvents extends EventsMap,
    ServerSideEvents extends EventsMap,
    SocketData,
    Request,
  > {
    /** Who the client is; undefined where credentials are not required and there are none. */
    readonly credentials?: Credentials;
  }
}
