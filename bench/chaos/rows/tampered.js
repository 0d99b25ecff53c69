export const tampered = [
  {
    name: 'audit-tampered',
    title: 'bit flip, delete, truncate and reorder in the audit table',
    criterion: 'the verifier names the first bad index',
    unless: () =>
      'Audit has no verifier yet (every other row does look whether a leaf is missing or altered)',
    run: () => Promise.resolve(),
  },
];
