import { writeFileSync } from 'node:fs';
import { conformanceText } from './document.ts';

/** `npm run conformance`: writes `docs/conformance.md`. */
writeFileSync(new URL('../../../docs/conformance.md', import.meta.url), conformanceText());
