import type { Query } from "../query-string.js";

/** Options of the low-level connection (spec/client.md 2.2). All may be left out. */
export interface EngineOptions {
  /** Host to connect to, with or without brackets for IPv6. Default: that of the URL, of the page, or `localhost`. */
  host: string;
  /** The same as `host`, which is stronger. */
  hostname: string;
  /** Default: that of the URL, of the page, or the scheme's own. */
  port: string | number;
  /** TLS. Default: what the scheme of the URL or of the page says. */
  secure: boolean;
  /** Query parameters of every request. A query in the URL replaces them. */
  query: Query;
  /** Path of the server. Default: `/engine.io`, and `/socket.io` through a manager. */
  path: string;
  /** Whether the path ends with a slash. Default: true. */
  addTrailingSlash: boolean;
  /** Transports to try, by name or by class, in order. Default: polling, websocket, webtransport. */
  transports: ("polling" | "websocket" | "webtransport" | (string & {}) | TransportClass)[];
  /** The same as a list of classes in `transports`; only one of both may be given. */
  transportImplementations: TransportClass[];
  /** Options for single transports, by name; stronger than all others. */
  transportOptions: { [transport: string]: any };
  /** Whether to change to a better transport once connected. Default: true. */
  upgrade: boolean;
  /** Whether to begin with websocket when the last connection of this process was upgraded to it. Default: false. */
  rememberUpgrade: boolean;
  /** Whether to try the next transport when one cannot connect. Default: false. */
  tryAllTransports: boolean;
  /** Bytes travel as base64 even where they need not. Default: false. */
  forceBase64: boolean;
  /** Name of the parameter that keeps caches away. Default: `t`. */
  timestampParam: string;
  /** Whether to send it. Default: with polling only. */
  timestampRequests: boolean;
  /** Milliseconds a polling request may take. Default: 0, no limit. */
  requestTimeout: number;
  /** Headers of the handshake and of each polling request. Browsers cannot set them on websockets. */
  extraHeaders: { [header: string]: string };
  /** Browsers: credentials go to other origins too. Node: cookies of the server are kept and sent. Default: false. */
  withCredentials: boolean;
  /** Whether the connection is closed when the page is left, in `beforeunload`. Default: false. */
  closeOnBeforeunload: boolean;
  /** Timers as they were when this module was loaded, whatever fake ones are installed now. Default: false. */
  useNativeTimers: boolean;
  /** Node: the connection does not keep the process alive. Default: false. */
  autoUnref: boolean;
  /** WebSocket subprotocols. */
  protocols: string | string[];
  /** Node: compression of websocket messages from `threshold` bytes on; false for none. Default: `{ threshold: 1024 }`. */
  perMessageDeflate: boolean | { threshold?: number; [option: string]: any };
  /** Node: an `http.Agent` for all requests. Default: a keep-alive agent of our own. */
  agent: any;
  /** Node, TLS: certificate, key and chain in PKCS 12. */
  pfx: any;
  /** Node, TLS: private key. */
  key: any;
  /** Node, TLS: passphrase of `key` or `pfx`. */
  passphrase: string;
  /** Node, TLS: certificate. */
  cert: any;
  /** Node, TLS: trusted authorities. */
  ca: any;
  /** Node, TLS: ciphers allowed. */
  ciphers: string;
  /** Node, TLS: whether the server's certificate is checked. Default: true. */
  rejectUnauthorized: boolean;
}

/** A transport class as the options take it. */
export type TransportClass = new (options: any) => object;
