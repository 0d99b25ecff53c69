// What is called: a bare grpc-js server that answers every Check alike.
import { authzV1 } from '@gatehouse/contracts-authz';
import process from 'node:process';
import { grpc, serviceOf } from './grpc.js';

const server = new grpc.Server();
const answer = { allowed: true, reason: 'role member of the platform', revision: 42 };
server.addService(serviceOf(authzV1), { check: (_call, done) => done(null, answer) });
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.send({ port });
});
process.once('disconnect', () => process.exit(0));
