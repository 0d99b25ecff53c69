export default {
  extends: ['@commitlint/config-conventional'],
  // A body may carry a table, a command or a link, which no wrapping improves.
  rules: {
    'body-max-line-length': [0],
    'footer-max-line-length': [0],
    'header-max-length': [2, 'always', 130],
  },
};
