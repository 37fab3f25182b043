// Proof that these programs are compiled against ours: the function of the reference has no such property.
import { io } from "socket.io-client";

export const version: number = io.protocol;
