import { ConfigError, configOf, followVariable } from '@gatehouse/kernel';
import { z } from 'zod';
import type { ConsulOptions } from './consul.client.ts';

const pem = (what: string) =>
  z
    .string()
    .regex(/-----BEGIN [A-Z ]+-----/, 'must be PEM, or use the variable that ends in _FILE')
    .optional()
    .meta({ example: `"-----BEGIN ${what}-----..."` });

/** How Consul is reached; of a service, or of the provisioner with a token that may do more. */
export class ConsulConfig extends configOf({
  /** The agent of this machine. `host:port` means http. */
  CONSUL_HTTP_ADDR: z
    .string()
    .transform((text) => (text.includes('://') ? text : `http://${text}`))
    .pipe(z.url({ protocol: /^https?$/, error: 'must be http://host:port or https://host:port' }))
    .meta({ example: 'http://127.0.0.1:8500' }),
  /** ACL token; of a service: write on its own name, read on `gatehouse/directory`, services and nodes. */
  CONSUL_HTTP_TOKEN: z.string().min(1).optional(),
  /** Whom to believe that it is Consul, in the place of the system's authorities. */
  CONSUL_TLS_CA: pem('CERTIFICATE'),
  /** Who this process is, where Consul asks for a certificate. */
  CONSUL_TLS_CERT: pem('CERTIFICATE'),
  /** The key of that certificate. */
  CONSUL_TLS_KEY: pem('PRIVATE KEY'),
}) {}

/** @throws ConfigError where the variables do not go together */
export function consulOptionsOf(config: ConsulConfig): ConsulOptions {
  const { CONSUL_TLS_CA: ca, CONSUL_TLS_CERT: cert, CONSUL_TLS_KEY: key } = config;
  const address = new URL(config.CONSUL_HTTP_ADDR);
  const tls = { CONSUL_TLS_CA: ca, CONSUL_TLS_CERT: cert, CONSUL_TLS_KEY: key };
  const problems = [];
  if (address.username !== '' || address.password !== '')
    problems.push({
      variable: 'CONSUL_HTTP_ADDR',
      problem: 'must hold no credentials; the token is CONSUL_HTTP_TOKEN',
    });
  if (address.protocol === 'http:')
    for (const [variable, value] of Object.entries(tls))
      if (value !== undefined)
        problems.push({
          variable,
          problem: 'is set, yet CONSUL_HTTP_ADDR does not begin https://',
        });
  if ((cert === undefined) !== (key === undefined))
    problems.push({
      variable: cert === undefined ? 'CONSUL_TLS_CERT' : 'CONSUL_TLS_KEY',
      problem: 'CONSUL_TLS_CERT and CONSUL_TLS_KEY are needed together',
    });
  if (problems.length > 0) throw new ConfigError(problems);
  const token = followVariable('CONSUL_HTTP_TOKEN', config.CONSUL_HTTP_TOKEN);
  return {
    address: address.origin,
    get token() {
      return token();
    },
    ca,
    cert,
    key,
  };
}
