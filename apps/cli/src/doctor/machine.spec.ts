import { nodeVersion } from './machine.ts';

describe('the doctor', () => {
  it.each([
    ['18.20.0', 'problem'],
    ['20.11.0', 'warning'],
    ['24.18.0', 'warning'],
    ['24.18.1', 'ok'],
    ['24.21.0', 'ok'],
    ['25.0.0', 'ok'],
  ])('takes Node %s for a %s', (version, state) => {
    expect(nodeVersion(version).state).toBe(state);
  });
});
