export type { CookieValues } from "./cookie-header.js";
export { memoryAgent, type MemoryAgentOptions } from "./memory-agent.js";
export {
  closeTestClients,
  testClient,
  type TestClientError,
  type TestClientOptions,
  type TestSocket,
} from "./test-client.js";
