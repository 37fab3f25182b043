import type { Adapter, BroadcastOperator, Client, Namespace, ParentNamespace, RemoteSocket, Server, Socket } from "../src/contract.js";
import { test } from "tstyche";
