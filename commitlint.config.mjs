export default {
  extends: ['@commitlint/config-conventional'],
  // A body may carry a table, a command or a link, which no wrapping improves.
  rules: {
    // A subject may begin with the name of an engine: sentence case is not told apart from that.
    'subject-case': [2, 'never', ['start-case', 'pascal-case', 'upper-case']],
    'body-max-line-length': [0],
    'footer-max-line-length': [0],
    'header-max-length': [2, 'always', 130],
  },
};
