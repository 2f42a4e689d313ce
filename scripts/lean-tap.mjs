// Preloaded into every process of the suite: what tap does beside the tests, and the suite has no use for.
import asyncHooks from 'node:async_hooks';
import { writeSync } from 'node:fs';
import module, { syncBuiltinESMExports } from 'node:module';

// Loaders, for mocks and coverage. Before Node 24 they run in a thread of their own, past which every import goes: a
// second of CPU for each file.
module.register = () => {};

// A hook that follows every promise, to tell in which subtest an error came up that nobody caught: a tenth of the CPU.
// Without it such an error ends its file, which fails all the same, and is told in a comment.
const { createHook } = asyncHooks;
asyncHooks.createHook = (callbacks) =>
  callbacks.destroy === undefined ? createHook(callbacks) : { enable() {}, disable() {} };
process.on('uncaughtExceptionMonitor', (error) => {
  writeSync(1, `# uncaught: ${String(error?.stack ?? error).replaceAll('\n', ' ')}\n`);
});

syncBuiltinESMExports();
