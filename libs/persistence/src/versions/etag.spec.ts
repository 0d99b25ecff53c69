import { PreconditionFailed, ValidationFailed } from '@gatehouse/contracts-platform';
import { checkVersion, etagOf, versionOfIfMatch } from './etag.ts';

describe('an entity tag', () => {
  it('is the version in quotes, and back', () => {
    expect(etagOf(7)).toBe('"7"');
    expect(versionOfIfMatch(etagOf(7))).toBe(7);
  });

  it('asks for nothing where it is absent or a star', () => {
    expect(versionOfIfMatch(undefined)).toBeUndefined();
    expect(versionOfIfMatch(' * ')).toBeUndefined();
    expect(() => checkVersion(undefined, 3)).not.toThrow();
  });

  it.each(['W/"7"', '"07"', '"seven"', '""', '"7.0"', '"-1"', '"9999999999999999"'])(
    'never matches as %s',
    (field) => {
      const expected = versionOfIfMatch(field);
      for (const version of [0, 1, 7]) {
        expect(() => checkVersion(expected, version)).toThrow(PreconditionFailed);
      }
    },
  );

  it.each(['7', '"7', '"7", "8"', ''])('is refused as %j', (field) => {
    expect(() => versionOfIfMatch(field)).toThrow(ValidationFailed);
  });

  it('tells what is there when another was expected', () => {
    let thrown: unknown;
    try {
      checkVersion(6, 7);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({
      code: 'PRECONDITION_FAILED',
      metadata: { current_etag: '"7"' },
    });
  });
});
