import { runChecks } from "./check-steps.mjs";

const { passed, failed } = await runChecks();
console.log(failed === 0 ? `All ${passed} checks passed.` : `${failed} of ${passed + failed} checks failed.`);
process.exitCode = failed === 0 ? 0 : 1;
