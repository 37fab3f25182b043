import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { within } from "./load/within.mjs";

const START_LIMIT_MS = 10_000;
const ANSWER_LIMIT_MS = 10_000;
const KEPT_STDERR_CHARACTERS = 2_000;

/** A peer server in a process of its own, and the control channel to it. */
export class PeerProcess {
  /** What the peer said when it was ready. @type {{ port: number, dialect: string, version: string }} */
  ready;

  #child;
  #nextId = 0;
  #pending = new Map();
  #stderr = "";
  #exited;

  /** @param {string} name of a file in `peers/` */
  constructor(name) {
    this.#child = fork(fileURLToPath(new URL(`./peers/${name}.mjs`, import.meta.url)), {
      execArgv: ["--expose-gc"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text) => {
      this.#stderr = (this.#stderr + text).slice(-KEPT_STDERR_CHARACTERS);
    });
    this.#exited = new Promise((resolve) => this.#child.once("close", resolve));
  }

  /**
   * Starts a peer and waits until it listens.
   *
   * @param {string} name
   * @returns {Promise<PeerProcess>}
   */
  static async start(name) {
    const peer = new PeerProcess(name);
    try {
      peer.ready = await within(START_LIMIT_MS, `starting ${name}`, peer.#waitUntilReady());
      return peer;
    } catch (error) {
      await peer.stop();
      throw error;
    }
  }

  #waitUntilReady() {
    return new Promise((resolve, reject) => {
      this.#child.on("message", (message) => {
        if (message.ready !== undefined) resolve(message.ready);
        else this.#settle(message);
      });
      this.#exited.then((code) => {
        const error = new Error(`the peer exited with code ${code}\n${this.#stderr}`);
        reject(error);
        for (const { reject: rejectAnswer } of this.#pending.values()) rejectAnswer(error);
        this.#pending.clear();
      });
    });
  }

  #settle({ id, value }) {
    this.#pending.get(id)?.resolve(value);
    this.#pending.delete(id);
  }

  /** Sends a command that has no answer. */
  tell(command, parameters) {
    this.#child.send({ command, ...parameters });
  }

  /** Sends a command and waits for its answer. */
  ask(command, parameters) {
    const id = this.#nextId++;
    const answer = new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    this.#child.send({ id, command, ...parameters });
    return within(ANSWER_LIMIT_MS, `the answer to "${command}"`, answer);
  }

  async stop() {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}
