import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isNotGood, tally } from '../lib/load.js';
import { withDetail } from '../lib/stage.js';

const LIBRARY = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/faketime/libfaketimeMT.so.1',
].find(existsSync);
const RECOVER_WITHIN_MS = 10_000;

export const clock = [
  {
    name: 'clock-skewed',
    title: "one service's clock is 5 s ahead",
    criterion: 'small skew is tolerated: nobody notices',
    unless,
    async run(stage) {
      await stage.open({ envOf: { identity: { ...faked(), FAKETIME: '+5s' } } });
      await stage.underLoad(async () => {
        const from = performance.now();
        await sleep(stage.seconds(5, 20) * 1_000);
        const bad = stage.samplesFrom(from).filter(isNotGood);
        stage.expect('nobody notices', bad.length === 0, `${tally(bad)}; ${withDetail(bad)}`);
      });
    },
  },
  {
    name: 'clock-off',
    title: 'the clock of every service jumps 10 minutes ahead, and back',
    criterion:
      'timers are monotonic: nobody is ejected or logged out; all well within 10 s of each jump',
    unless,
    async run(stage) {
      const folder = mkdtempSync(join(tmpdir(), 'gatehouse-chaos-clock-'));
      stage.onClose(() => rmSync(folder, { recursive: true, force: true }));
      const file = join(folder, 'offset');
      writeFileSync(file, '+0\n');
      await stage.open({
        env: {
          ...faked(),
          FAKETIME_TIMESTAMP_FILE: file,
          FAKETIME_NO_CACHE: '1',
          // A token that has truly run out by the clock is not what is looked at.
          AUTH_ACCESS_TOKEN_SECONDS: '3600',
        },
      });
      await stage.underLoad(async () => {
        for (const offset of ['+600s', '+0']) {
          const jumped = performance.now();
          writeFileSync(file, `${offset}\n`);
          await sleep(RECOVER_WITHIN_MS);
          const late = performance.now();
          await sleep(stage.seconds(3, 20) * 1_000);
          const bad = stage.samplesFrom(late).filter(isNotGood);
          stage.expect(
            `well 10 s after the clock says ${offset}`,
            bad.length === 0,
            `${tally(bad)}; ${withDetail(bad)}`,
          );
          const early = stage.samplesFrom(jumped, late).filter(isNotGood);
          stage.note(
            `in the 10 s after the clock says ${offset}: ${early.length} failed ${tally(early)}`,
          );
        }
        stage.faultEnds();
        await stage.untilSteady(RECOVER_WITHIN_MS);
      });
    },
  },
];

function unless() {
  return LIBRARY === undefined
    ? 'libfaketime is not installed (apt-get install faketime)'
    : undefined;
}

function faked() {
  return { LD_PRELOAD: LIBRARY, DONT_FAKE_MONOTONIC: '1', FAKETIME_DONT_RESET: '1' };
}
