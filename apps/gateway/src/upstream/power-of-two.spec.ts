import { pickOfTwo } from './power-of-two.ts';

const instance = (name: string, inFlight = 0, available = true) => ({
  name,
  inFlight,
  isAvailable: () => available,
});

function share(instances: ReturnType<typeof instance>[], not?: ReturnType<typeof instance>) {
  const counts: Record<string, number> = {};
  for (let n = 0; n < 4000; n++) {
    const name = pickOfTwo(instances, 0, not)?.name ?? 'none';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe('power of two choices', () => {
  it('spreads equal instances evenly', () => {
    const counts = share([instance('a'), instance('b'), instance('c')]);
    for (const name of ['a', 'b', 'c']) expect(counts[name]).toBeGreaterThan(1000);
  });

  it('never takes the busiest of more than one', () => {
    expect(share([instance('a', 9), instance('b'), instance('c')]).a).toBeUndefined();
  });

  it('leaves an ejected instance out', () => {
    expect(share([instance('a', 0, false), instance('b', 50)])).toEqual({ b: 4000 });
  });

  it('goes elsewhere on a retry, and back to the same only if it is alone', () => {
    const [a, b] = [instance('a'), instance('b', 50)];
    expect(share([a, b], a)).toEqual({ b: 4000 });
    expect(share([a], a)).toEqual({ a: 4000 });
  });

  it('tries one even where all are ejected', () => {
    const counts = share([instance('a', 0, false), instance('b', 0, false)]);
    expect(counts.none).toBeUndefined();
  });

  it('picks none of none', () => {
    const none: ReturnType<typeof instance>[] = [];
    const picked = pickOfTwo(none, 0);
    expect(picked).toBeUndefined();
  });
});
