import { onStopSignals } from './stop-signals.ts';

describe('Ctrl-C', () => {
  let calls: string[];
  let time: number;
  const listeners = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

  beforeEach(() => {
    calls = [];
    time = 0;
    onStopSignals(
      (signal) => calls.push(`stop ${signal}`),
      (signal) => calls.push(`force ${signal}`),
      () => time,
    );
  });
  afterEach(() => listeners.forEach((signal) => process.removeAllListeners(signal)));
  const press = (signal: NodeJS.Signals = 'SIGINT') => process.emit(signal, signal);

  it('asks once, although the terminal and npm both pass it on', () => {
    press();
    time = 20;
    press();
    press('SIGTERM');
    expect(calls).toEqual(['stop SIGINT']);
  });

  it('forces when it comes again', () => {
    press();
    time = 2_000;
    press();
    expect(calls).toEqual(['stop SIGINT', 'force SIGINT']);
  });
});
