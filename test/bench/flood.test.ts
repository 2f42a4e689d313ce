import t from 'tap';
import { faultOf } from '../../bench/cases/flood.ts';

const ANSWERS = { '200': 1_800, '201': 200, '429': 20_000 };

t.test('a flood is one when it is made, held back, and answered as it should be', async (t) => {
  const floods = [
    [{ offered: 500, wanted: 5_000, answers: ANSWERS }, undefined],
    [{ offered: 500, wanted: 4_901, answers: ANSWERS }, undefined],
    [{ offered: 500, wanted: 4_000, answers: ANSWERS }, /wanted 4000 requests a second in place of 5000/],
    [{ offered: 500, wanted: 5_000, answers: { '200': 9 } }, /not held back/],
    [{ offered: 500, wanted: 5_000, answers: { ...ANSWERS, none: 1 } }, /"none":1/],
    [{ offered: 500, wanted: 5_000, answers: { ...ANSWERS, '500': 1 } }, /"500":1/],
  ] as const;
  for (const [told, fault] of floods) {
    if (fault === undefined) t.equal(faultOf(told), undefined);
    else t.match(faultOf(told), fault);
  }
});
