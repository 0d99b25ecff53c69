import './fixtures/log-lines.ts';
