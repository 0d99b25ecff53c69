// One process of the benchmark: does what the runner asks, and says what it took.
import process from 'node:process';
import { ROLES } from './roles.js';

const jobs = await ROLES[process.argv[2]]();

process.on('message', ({ id, job, ...order }) => {
  jobs[job](order).then(
    (answer) => process.send({ id, answer }),
    (error) => process.send({ id, error: error.stack }),
  );
});
process.on('SIGTERM', () => process.exit(0));
process.once('disconnect', () => process.exit(0));
process.send({ port: 0 });
