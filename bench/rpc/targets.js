import { authzV1 } from '@gatehouse/contracts-authz';
import { Directory, generateServiceKey, ViaTokens } from '@gatehouse/discovery';
import { Metrics } from '@gatehouse/kernel';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { ClientMetrics } from '../../libs/clients/dist/client.metrics.js';
import { GrpcClients } from '../../libs/clients/dist/grpc-clients.js';
import { grpc, serviceOf } from './grpc.js';

/** What a call carries: of the length that these headers have. */
export const TOKEN = `e${'y'.repeat(650)}`;
const HEADERS = {
  authorization: `Bearer ${TOKEN}`,
  'gatehouse-via': `e${'y'.repeat(250)}`,
  'x-request-id': '0192f0c1-2d7e-7cc3-98c4-dc0c0c07398f',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00',
};

/** Each gives, for the port of a server, a function that asks it once. */
export const TARGETS = {
  'raw grpc-js': (port) => raw(port, {}),
  'raw grpc-js, same metadata': (port) => raw(port, HEADERS),
  'our client': ours,
};

function raw(port, headers) {
  const { Check } = serviceOf(authzV1);
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  return (request) =>
    new Promise((resolve, reject) => {
      const metadata = new grpc.Metadata();
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
      client.makeUnaryRequest(
        Check.path,
        Check.requestSerialize,
        Check.responseDeserialize,
        request,
        metadata,
        { deadline: Date.now() + 2_000 },
        (error, answer) => (error ? reject(error) : resolve(answer)),
      );
    });
}

/** As a service has it: found through discovery, Gatehouse-Via, the caller's token, trace headers, retries and metrics. */
function ours(port) {
  const { privateKey } = generateServiceKey();
  const key = createPrivateKey(privateKey);
  const anchor = createPublicKey(key);
  const discovery = {
    find: () => [{ grpcAddress: `127.0.0.1:${port}` }],
    watch: () => () => undefined,
  };
  const clients = new GrpcClients(
    discovery,
    new ViaTokens('identity', key, new Directory(anchor), anchor),
    new ClientMetrics(new Metrics()),
    { onStop: () => undefined },
  );
  const authz = clients.of(authzV1);
  return (request) => authz.check(request);
}
