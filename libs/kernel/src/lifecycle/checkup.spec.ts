import { certificateFindings, Checkup } from './checkup.ts';
import { CommandRegistry } from './command-registry.ts';

const DAY = 86_400_000;

describe('a checkup', () => {
  it('tells what every look found, and of one that fails why', async () => {
    const checkup = new Checkup(new CommandRegistry());
    checkup.add('schema', () => [{ state: 'ok', what: 'the schema is up to date' }]);
    checkup.add('keys', () => Promise.reject(new Error('no such table')));
    expect(await checkup.run(0)).toEqual([
      { state: 'ok', what: 'the configuration is right' },
      { state: 'ok', what: 'the schema is up to date' },
      { state: 'problem', what: 'keys could not be looked at: no such table' },
    ]);
  });

  it('looks again at what was only slow', async () => {
    const checkup = new Checkup(new CommandRegistry());
    const answers = [Promise.reject(new Error('no connection in time')), Promise.resolve([])];
    answers[0]?.catch(() => undefined);
    checkup.add('schema', () => answers.shift() ?? []);
    expect(await checkup.run(0)).toEqual([{ state: 'ok', what: 'the configuration is right' }]);
  });

  it.each([
    ['good for a month', 30, 'ok'],
    ['that ends in ten days', 10, 'warning'],
    ['that ends tomorrow', 1, 'problem'],
    ['that has ended', -1, 'problem'],
  ])('names a certificate %s', (_what, days, state) => {
    const now = Date.parse('2026-11-23T12:00:00Z');
    const expiries = new Map([['in KAFKA_TLS_CERT', (now + days * DAY) / 1000]]);
    const [finding] = certificateFindings(expiries, now);
    expect(finding).toMatchObject({
      state,
      what: expect.stringContaining('the certificate in KAFKA_TLS_CERT') as string,
    });
  });
});
