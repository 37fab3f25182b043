/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
// Providers with a scope: instances for each socket, or for each tenant.
import "reflect-metadata";
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from "@nestjs/common";
import { ContextIdFactory, ModuleRef, NestFactory, REQUEST } from "@nestjs/core";
import { MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer, WsException } from "@nestjs/websockets";
import { SocketIoModule, SocketMiddleware, UseConnectionGuards, WsEvent } from "@plugboard/nestjs";
import { defineEvents } from "@plugboard/contract";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { map } from "rxjs/operators";
import * as z from "zod";
import { createPlatform, listen } from "./platform.mjs";

const tenants = new Map<string, any>();
ContextIdFactory.apply({
  attach(contextId: any, socket: any) {
    const tenant = socket.handshake?.auth.tenant ?? "none";
    if (!tenants.has(tenant)) tenants.set(tenant, ContextIdFactory.create());
    return {
      resolve: (info: any) => (info.isTreeDurable ? tenants.get(tenant) : contextId),
      payload: { tenant },
    };
  },
} as any);

let made = 0;
let released = 0;
const registry = new FinalizationRegistry(() => void released++);

/** One for each socket: guard, middleware, gateway and the services below get the same. */
@Injectable({ scope: Scope.REQUEST })
class Visit {
  readonly number = ++made;
  readonly seen: string[] = [];
  constructor(@Inject(REQUEST) readonly socket: any) {
    registry.register(this, undefined);
    if (socket.handshake.auth.broken) throw new Error("cannot be made");
  }
}

@Injectable({ scope: Scope.REQUEST, durable: true })
class Tenant {
  static made = 0;
  readonly number = ++Tenant.made;
  constructor(@Inject(REQUEST) private readonly request: any) {}
  get name() {
    return this.request.tenant;
  }
}

@Injectable()
class Service {
  constructor(@Inject(Visit) readonly visit: Visit) {}
}

@Injectable({ scope: Scope.REQUEST })
class VisitMiddleware {
  constructor(@Inject(Visit) private readonly visit: Visit) {}
  use(socket: any, next: (error?: Error) => void) {
    this.visit.seen.push(`middleware ${this.visit.socket === socket}`);
    next(socket.handshake.auth.stranger ? new Error("stranger") : undefined);
  }
}
@Injectable({ scope: Scope.REQUEST })
class FeatureMiddleware {
  constructor(@Inject(REQUEST) private readonly socket: any) {}
  use(socket: any, next: (error?: Error) => void) {
    next(this.socket === socket && socket.handshake.auth.ticket ? undefined : new Error("no ticket"));
  }
}

@Injectable()
class VisitGuard {
  constructor(@Inject(Visit) private readonly visit: Visit) {}
  canActivate(context: any) {
    this.visit.seen.push(`guard ${context.getArgs().at(-1)}`);
    return context.getArgs().at(-1) !== "forbidden";
  }
}
@Injectable({ scope: Scope.TRANSIENT })
class TransientGuard {
  constructor(@Inject(Tenant) private readonly tenant: Tenant) {}
  canActivate() {
    return typeof this.tenant.number === "number";
  }
}
@Injectable()
class VisitInterceptor {
  constructor(@Inject(Visit) private readonly visit: Visit) {}
  intercept(_context: any, next: any) {
    return next.handle().pipe(map((answer: any) => ({ ...answer, interceptor: this.visit.number })));
  }
}
@Injectable()
class VisitPipe {
  constructor(@Inject(Visit) private readonly visit: Visit) {}
  transform(value: any) {
    return { ...value, pipe: this.visit.number };
  }
}
@Injectable()
class VisitFilter {
  constructor(@Inject(Visit) private readonly visit: Visit) {}
  catch(error: Error, host: any) {
    host.switchToWs().getClient().emit("exception", { filter: this.visit.number, message: error.message });
  }
}

const contract = defineEvents({ client: { agreed: { payload: z.number(), ack: z.number() } } });

@UseConnectionGuards(VisitGuard, TransientGuard)
@SocketMiddleware(VisitMiddleware)
@WebSocketGateway({ namespace: "visits" })
class VisitsGateway {
  @WebSocketServer() server: any;
  state = "new";
  constructor(
    @Inject(Visit) private readonly visit: Visit,
    @Inject(Service) private readonly service: Service,
    @Inject(Tenant) private readonly tenant: Tenant,
  ) {}
  async handleConnection(socket: any) {
    await Promise.resolve();
    if (socket.handshake.auth.fail) throw new WsException("not you");
    this.state = "connected";
  }
  handleDisconnect() {
    console.log(`left ${this.visit.number} ${this.state}`);
  }
  @SubscribeMessage("tell") tell() {
    const { number, socket, seen } = this.visit;
    const isSame = this.visit === this.service.visit;
    return {
      number,
      id: socket.id,
      seen,
      isSame,
      state: this.state,
      tenant: this.tenant.number,
      nsp: this.server.name,
    };
  }
  @SubscribeMessage("twice") twice() {
    return this.tell();
  }
  @SubscribeMessage("forbidden") @UseGuards(VisitGuard) forbidden() {}
  @UseInterceptors(VisitInterceptor)
  @SubscribeMessage("piped")
  piped(@MessageBody(VisitPipe) body: any) {
    return { ...body, number: this.visit.number };
  }
  @UseFilters(VisitFilter)
  @SubscribeMessage("fail")
  fail() {
    throw new Error(`failed ${this.visit.number}`);
  }
  @WsEvent(contract, "agreed") agreed(@MessageBody() value: number) {
    return this.visit.seen.length > 0 ? value : -value;
  }
}

/** Has all that it inherits, hooks too. */
@WebSocketGateway({ namespace: "inherited" })
class InheritingGateway extends VisitsGateway {}

/** Its tree is durable: sockets of a tenant share it. */
@WebSocketGateway({ namespace: "tenants" })
class TenantsGateway {
  static made = 0;
  readonly number = ++TenantsGateway.made;
  constructor(@Inject(Tenant) private readonly tenant: Tenant) {}
  @SubscribeMessage("tell") tell() {
    return { gateway: this.number, name: this.tenant.name };
  }
}

/** Inherits its handlers, and has one instance. */
@WebSocketGateway({ namespace: "single" })
class SingleGateway {
  constructor(@Inject(ModuleRef) private readonly modules: ModuleRef) {}
  @SubscribeMessage("ask") async ask(this: any) {
    return this.modules !== undefined;
  }
}

@WebSocketGateway({ namespace: "feature" })
class FeatureGateway {}

@Controller()
class ReleasedController {
  @Get("released") async released() {
    setFlagsFromString("--expose-gc");
    runInNewContext("gc")();
    await new Promise((resolve) => setImmediate(resolve));
    return { made, released };
  }
}

@Module({
  imports: [
    SocketIoModule.forRoot(),
    SocketIoModule.forFeature({ namespace: "feature", middleware: [FeatureMiddleware] }),
  ],
  controllers: [ReleasedController],
  providers: [Visit, Tenant, Service, VisitsGateway, InheritingGateway, TenantsGateway, SingleGateway, FeatureGateway],
})
class AppModule {}

process.on("unhandledRejection", (error) => console.log("unhandledRejection", error));
await listen(
  await NestFactory.create(AppModule, await createPlatform("express"), { logger: ["error"], abortOnError: false }),
);
