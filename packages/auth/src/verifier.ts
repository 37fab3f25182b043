import type { IncomingMessage } from "node:http";
import type { CredentialsOptions, VerifyContext } from "./options.js";
import { RefusalError, VerifierUnavailableError, isUnavailable, refusalFor } from "./refusal.js";
import { type RecentRevocations, type RevocationTimes, isRevokedBy, keysOf } from "./revocations.js";
import { type TokenCarrier, type TokenReader, defaultTokenReader } from "./token-source.js";
import { type Credentials, checkCredentials } from "./verified.js";

const DEFAULT_MAX_TOKEN_LENGTH = 8192;
const DEFAULT_VERIFY_TIMEOUT_MS = 10_000;

/** What a client shows. */
export interface Presented extends TokenCarrier {
  readonly request: IncomingMessage;
  readonly namespace: string;
}

/** From what a client shows to who it is. */
export class Verifier<C extends Credentials> {
  readonly #options: CredentialsOptions<C>;
  readonly #recent: RecentRevocations;
  readonly #readToken: TokenReader;

  constructor(options: CredentialsOptions<C>, recent: RecentRevocations) {
    this.#options = options;
    this.#recent = recent;
    this.#readToken = options.token ?? defaultTokenReader(options.cookie);
  }

  /** Whether the token is one that the client can send anew on an open connection. */
  isRenewable({ auth }: TokenCarrier): boolean {
    return this.#readToken({ auth, headers: {} }) !== undefined;
  }

  /**
   * @returns undefined for somebody without a token where that is allowed
   * @throws RefusalError, or an error that {@link isUnavailable} knows
   */
  async verify(presented: Presented): Promise<C | undefined> {
    const token = this.#readToken(presented);
    if (token === undefined) {
      if (this.#isRequired(presented.namespace)) throw new RefusalError("SIO_UNAUTHORIZED");
      return undefined;
    }
    const { maxTokenLength = DEFAULT_MAX_TOKEN_LENGTH } = this.#options;
    if (typeof token !== "string" || token === "" || token.length > maxTokenLength) {
      throw new RefusalError("SIO_UNAUTHORIZED", new Error("the token is not a string, or is too long"));
    }
    const credentials = await this.#ask(token, presented);
    const { expiresAt = Infinity } = credentials;
    if (expiresAt <= Date.now()) throw new RefusalError("SIO_CREDENTIALS_EXPIRED");
    const keys = keysOf(credentials);
    const isRevoked =
      isRevokedBy(this.#recent.find(keys), credentials) || isRevokedBy(await this.stored(keys), credentials);
    if (isRevoked) throw new RefusalError("SIO_CREDENTIALS_REVOKED");
    return credentials;
  }

  /** What the store knows of keys. */
  async stored(keys: readonly string[]): Promise<RevocationTimes> {
    const { revocations } = this.#options;
    if (revocations === undefined) return [];
    return this.#inTime("revocations.find", async () => {
      try {
        return await revocations.find(keys);
      } catch (error) {
        throw new VerifierUnavailableError("revocations.find failed", { cause: error });
      }
    });
  }

  #isRequired(namespace: string): boolean {
    const { required = true } = this.#options;
    return typeof required === "function" ? required(namespace) : required;
  }

  async #ask(token: string, { namespace, auth, request }: Presented): Promise<C> {
    const timeout = new Timeout();
    const context: VerifyContext = {
      namespace,
      auth,
      request,
      get signal() {
        return timeout.signal;
      },
    };
    try {
      const answer = await this.#inTime("verify", () => this.#options.verify(token, context), timeout);
      if (answer !== undefined && answer !== null) return checkCredentials(answer);
    } catch (error) {
      if (isUnavailable(error)) throw error;
      throw refusalFor(error);
    }
    throw new RefusalError("SIO_UNAUTHORIZED");
  }

  /** Does not wait for ever. */
  async #inTime<Result>(
    what: string,
    work: () => Result | PromiseLike<Result>,
    timeout: Timeout = new Timeout(),
  ): Promise<Result> {
    const { verifyTimeoutMs = DEFAULT_VERIFY_TIMEOUT_MS } = this.#options;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeUp = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => {
          reject(new VerifierUnavailableError(`${what} took longer than ${verifyTimeoutMs} ms`));
          timeout.abort();
        },
        Math.min(verifyTimeoutMs, MAX_TIMER_MS),
      );
    });
    try {
      return await Promise.race([work(), timeUp]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Longest time that timers of Node can wait: with a longer one, such as `Infinity`, they fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The signal is made when somebody looks at it: most do not, and it costs as much as the rest. */
class Timeout {
  #controller: AbortController | undefined;
  #isAborted = false;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isAborted) this.#controller.abort();
    return this.#controller.signal;
  }

  abort(): void {
    this.#isAborted = true;
    this.#controller?.abort();
  }
}
