import { Fetch, type FetchInit } from "../transports/fetch.js";
import { jarOf } from "./cookie-jar.js";

/** Polling over `fetch`, with the cookies of the engine's jar: nobody else keeps them here. */
export class NodeFetch extends Fetch {
  override async fetch(uri: string, init: FetchInit): Promise<Response> {
    const jar = jarOf(this);
    const cookies = jar?.header();
    if (cookies) init.headers.append("cookie", cookies);
    const response = await super.fetch(uri, init);
    jar?.store(response.headers.getSetCookie());
    return response;
  }
}
