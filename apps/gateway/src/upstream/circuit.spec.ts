import { Circuit } from './circuit.ts';

describe('the circuit of an instance', () => {
  it('is out at the first failed connect', () => {
    const circuit = new Circuit();
    circuit.onConnectFailed(100);
    expect(circuit.allows(101)).toBe(false);
    expect(circuit.state(101)).toBe('open');
  });

  it('is out after five failures in a row, and a success in between counts from zero', () => {
    const circuit = new Circuit();
    for (let n = 0; n < 4; n++) circuit.onFailure(0);
    circuit.onSuccess();
    for (let n = 0; n < 4; n++) circuit.onFailure(0);
    expect(circuit.allows(0)).toBe(true);
    circuit.onFailure(0);
    expect(circuit.allows(0)).toBe(false);
  });

  it('lets one request try when its time is over, and that one decides', () => {
    const circuit = new Circuit();
    circuit.onConnectFailed(0);
    expect(circuit.allows(1_000)).toBe(true);
    circuit.onSent();
    expect(circuit.allows(1_000)).toBe(false);
    circuit.onSuccess();
    expect(circuit.allows(1_000)).toBe(true);
    expect(circuit.state(1_000)).toBe('closed');
  });

  it('stays out twice as long when the trial fails, up to half a minute', () => {
    const circuit = new Circuit();
    let now = 0;
    const lengths: number[] = [];
    for (let round = 0; round < 7; round++) {
      circuit.onSent();
      circuit.onConnectFailed(now);
      const start = now;
      while (!circuit.allows(now)) now += 500;
      lengths.push(now - start);
    }
    expect(lengths).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it('counts requests that failed together as one ejection', () => {
    const circuit = new Circuit();
    for (let n = 0; n < 32; n++) circuit.onConnectFailed(n);
    expect(circuit.timesEjected).toBe(1);
    expect(circuit.allows(1_000)).toBe(true);
  });

  it('lets another try when the client of the trial went away', () => {
    const circuit = new Circuit();
    circuit.onConnectFailed(0);
    circuit.onSent();
    expect(circuit.allows(2_000)).toBe(false);
    circuit.onAbandoned();
    expect(circuit.allows(2_000)).toBe(true);
  });
});
