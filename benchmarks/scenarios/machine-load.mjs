import { availableParallelism, cpus } from "node:os";

/** CPU time the whole machine has spent so far, in microseconds. */
export function machineCpuUs() {
  let busyMs = 0;
  for (const { times } of cpus()) busyMs += times.user + times.nice + times.sys + times.irq;
  return busyMs * 1000;
}

/** CPU time this process, the load generator, has spent so far, in microseconds. */
export function ownCpuUs() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** What the machine could have spent in that time, in microseconds. @param {number} wallMs */
export function machineCapacityUs(wallMs) {
  return wallMs * 1000 * availableParallelism();
}
