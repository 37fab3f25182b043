import { Injectable, type ExecutionContext } from "@nestjs/common";
import { ThrottlerGuard, type ThrottlerLimitDetail } from "@nestjs/throttler";
import { EventError, type Socket } from "@plugboard/server";
import { addressOf } from "./rate-limits.js";
import { platformRequest } from "./platform-front.js";

/**
 * `ThrottlerGuard` of `@nestjs/throttler` that knows events too, and is one of HTTP for the rest. It counts for the address of the
 * client unless a tracker says otherwise: trackers are given the request of the handshake. An event beyond the limit is answered with
 * `SIO_RATE_LIMITED` and `data` `{ retryAfterMs }`. `@Throttle()` and `@SkipThrottle()` apply, with several throttlers each of them.
 */
export class WsThrottlerGuard extends ThrottlerGuard {
  protected override getRequestResponse(context: ExecutionContext): {
    req: Record<string, unknown>;
    res: Record<string, unknown>;
  } {
    if (context.getType<string>() !== "ws") return super.getRequestResponse(context);
    const { request } = context.switchToWs().getClient<Socket>();
    const ip = { value: addressOf(request) };
    // What it is to the platform, with an address in any case. The header fields of its answer are long gone.
    return { req: Object.create(platformRequest(request), { ip }) as Record<string, unknown>, res: {} };
  }

  protected override async throwThrottlingException(
    context: ExecutionContext,
    detail: ThrottlerLimitDetail,
  ): Promise<void> {
    if (context.getType<string>() !== "ws") return super.throwThrottlingException(context, detail);
    const retryAfterMs = detail.timeToBlockExpire * 1000;
    throw new EventError("SIO_RATE_LIMITED", await this.getErrorMessage(context, detail), { retryAfterMs });
  }
}
Injectable()(WsThrottlerGuard);
