import * as semantics from '@opentelemetry/semantic-conventions/incubating';

import { ATTRIBUTE } from './attributes.ts';

describe('the names of attributes', () => {
  it.each(Object.entries(ATTRIBUTE))('%s is what the conventions say', (name, value) => {
    expect((semantics as Record<string, unknown>)[`ATTR_${name}`]).toBe(value);
  });
});
