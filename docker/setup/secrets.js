/*
 * usage: secrets.js <folder> <engines>
 * Makes the passwords and tokens that the platform of compose.yaml needs besides those that `gatehouse provision` makes: of
 * the administrator of each engine, and of Grafana. One folder for whoever is to read it. What is there is kept.
 * `engines` is docker/engines, whose settings Kafka and Consul get.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const [folder = '', engines = ''] = process.argv.slice(2);

/**
 * Whole or not at all. Readable to whoever has it mounted, whatever user an engine runs as: a container is given its own
 * folder of the volume and no other.
 *
 * @param {string} name
 * @param {string} text
 */
function write(name, text) {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  writeFileSync(`${file}.new`, text, { mode: 0o444 });
  renameSync(`${file}.new`, file);
}

/**
 * @param {string} name
 * @param {() => string} make
 */
function keep(name, make) {
  if (!existsSync(join(folder, name))) write(name, make());
  return readFileSync(join(folder, name), 'utf8');
}

const secret = () => randomBytes(32).toString('base64url');
/** @param {string} file */
const setting = (file) => readFileSync(join(engines, file), 'utf8');

// The provisioner's folder is named by GATEHOUSE_CREDENTIALS_DIR: a file is a variable.
const postgres = keep('postgres/password', secret);
write('provisioner/database-url', `postgres://postgres:${postgres}@postgres:5432/gatehouse`);

write('provisioner/kafka-username', 'admin');
const kafka = keep('provisioner/kafka-password', secret);
write('kafka/password', kafka);
write(
  'kafka/security.properties',
  setting('kafka/sasl.properties')
    .replace(
      'advertised.listeners=SASL_PLAINTEXT://127.0.0.1:{port}',
      'advertised.listeners=SASL_PLAINTEXT://kafka:9092',
    )
    .replace(
      'listeners=SASL_PLAINTEXT://127.0.0.1:{port}',
      'listeners=SASL_PLAINTEXT://0.0.0.0:9092',
    )
    .replace('{controller_port}', '9093')
    .replaceAll('admin-secret', kafka),
);

const consul = keep('provisioner/consul-http-token', randomUUID);
write(
  'consul/agent.hcl',
  setting('consul/acl.hcl').replace(
    /^acl \{$/m,
    `acl {\n  tokens {\n    initial_management = "${consul}"\n    agent = "${consul}"\n  }`,
  ),
);

write('provisioner/redis-username', 'admin');
const redis = createHash('sha256').update(keep('provisioner/redis-password', secret)).digest('hex');
write('redis/users.acl', `user default off\nuser admin on #${redis} ~* &* +@all\n`);

keep('grafana/password', secret);
