// Preloaded into every process of the suite. tap registers loaders for mocks and coverage, of which it has neither;
// before Node 24 they run in a thread of their own, past which every import goes: a second of CPU for each file.
import module, { syncBuiltinESMExports } from 'node:module';

module.register = () => {};
syncBuiltinESMExports();
