// Release 4.0 has no typings for its ESM entry.
declare module "socket.io-client-4.0" {
  export const io: typeof import("socket.io-client").io;
}
