import { Module } from "@nestjs/common";
import type { ModulesContainer } from "@nestjs/core";

/** Closes something in `onModuleDestroy`. */
export class FirstToClose {
  #close: (() => Promise<void>) | undefined = undefined;

  /**
   * Closes this before the hooks `onModuleDestroy` of all other modules. Since 11 Nest ends modules in the order of their distance
   * from the root, where they are nearest to it; before, global modules came first by themselves.
   */
  start(modules: ModulesContainer, close: () => Promise<void>): void {
    this.#close = close;
    for (const module of modules.values()) {
      if (isFirstToClose(module)) module.distance = -1;
    }
  }

  async onModuleDestroy(): Promise<void> {
    await this.#close?.();
  }
}

/** A module of its own, so that no other order than that changes. */
export class FirstToCloseModule {}

/** Whether a module of an application is that one. */
export function isFirstToClose({ metatype }: { readonly metatype: unknown }): boolean {
  return metatype === FirstToCloseModule;
}

Module({ providers: [FirstToClose], exports: [FirstToClose] })(FirstToCloseModule);
