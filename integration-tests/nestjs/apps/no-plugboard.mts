/* oxlint-disable typescript/no-explicit-any -- of no use there */
// Stands for our decorators where the anchor runs: they do nothing.
const none = () => () => {};
export const InjectNamespace = none;
export const InjectServer = none;
export const MessageArg = none;
export const SocketMiddleware = none;
export const UseConnectionGuards = none;
export const WsEventName = none;
export const WsParam = none;
export const WsUser = none;
export const Ack = none;
export const SocketIoAdapter: any = undefined;
export const SocketIoModule: any = undefined;
