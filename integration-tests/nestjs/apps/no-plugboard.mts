/* oxlint-disable typescript/no-explicit-any -- of no use there */
// Stands for our decorators where the anchor runs: they do nothing.
const none: any = () => () => {};
export const AckTimeout = none;
export const Serial = none;
export const WsSession = none;
