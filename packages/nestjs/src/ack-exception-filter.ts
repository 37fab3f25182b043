import { Logger, type ArgumentsHost, type ExceptionFilter } from "@nestjs/common";
import { eventCallIn } from "./event-call.js";
import { WsContext } from "./ws-context.js";

/**
 * Base of filters that say what clients read of an error: the acknowledgement, or the event `exception` where they wait for none.
 *
 * ```ts
 * @Catch(OutOfStock)
 * class StockFilter extends AckExceptionFilter<OutOfStock> {
 *   answer({ sku }: OutOfStock) {
 *     return { status: "error", code: "OUT_OF_STOCK", sku };
 *   }
 * }
 * ```
 */
export abstract class AckExceptionFilter<Failure = unknown, Answer = unknown> implements ExceptionFilter {
  /** What the client reads of the error. If it throws or rejects, that is the error that the client is told of. */
  abstract answer(error: Failure, context: WsContext<Answer>): Answer | PromiseLike<Answer>;

  async catch(error: Failure, host: ArgumentsHost): Promise<void> {
    const call = eventCallIn(host.getArgs());
    if (call === undefined) {
      new Logger("SocketIo").error(error instanceof Error ? error.stack : error);
      return;
    }
    const context = WsContext.from<Answer>(host);
    try {
      context.fail(await this.answer(error, context));
    } catch (fault) {
      call.fail(fault);
    }
  }
}
