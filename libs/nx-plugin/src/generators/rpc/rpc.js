import { classOf } from '../../edits/find.js';
import { addRpc, protoNames } from '../../edits/proto-edit.js';
import { SourceEdit } from '../../edits/source-edit.js';
import { partNames } from '../../names/checked-names.js';
import { afterContract } from '../../workspace/after-contract.js';
import { resourceCalled } from '../../workspace/resources.js';
import {
  needsDatabase,
  packagedServicesOf,
  serviceCalled,
  servicesOf,
} from '../../workspace/services.js';
import { format, writeNew } from '../../workspace/write.js';

/** @typedef {import('@nx/devkit').Tree} Tree */

/**
 * @param {Tree} tree
 * @param {{ name: string; service: string; resource?: string; allow?: string }} options
 */
export default async function rpc(tree, options) {
  const service = serviceCalled(tree, options.service);
  needsDatabase(service, 'the rpc that is generated reads a row');
  if (!service.grpc) throw new Error(`${service.names.kebab} serves no gRPC`);
  const resource = resourceCalled(tree, service, options.resource);
  const name = partNames('rpc', options.name);
  const callers = callersOf(tree, options.allow ?? '*');
  const values = { ...resource, name, callers, service: service.names };
  addToProto(tree, service, values);
  writeNew(tree, new URL('files/', import.meta.url), service.root, values);
  addToCode(tree, service, values);
  await format(tree);
  return afterContract(tree, service.contractRoot);
}

/** @typedef {import('../../names/checked-names.js').ResourceNames & { name: import('../../names/names.js').Names; callers: string[] }} RpcValues */

/**
 * @param {Tree} tree
 * @param {string} list
 */
function callersOf(tree, list) {
  const callers = list.split(/[\s,]+/).filter((caller) => caller !== '');
  const services = [...servicesOf(tree), ...packagedServicesOf(tree)];
  const known = new Set(['*', 'provisioner', ...services.map(({ names }) => names.kebab)]);
  const stranger = callers.find((caller) => !known.has(caller));
  if (stranger) throw new Error(`--allow: there is no service "${stranger}"`);
  if (callers.length === 0) throw new Error('--allow: name the services that may call it');
  return callers;
}

/** @param {Tree} tree @param {import('../../workspace/services.js').Service} service @param {RpcValues} values */
function addToProto(tree, { names, contractRoot }, { one, many, name }) {
  const folder = `${contractRoot}/proto/gatehouse/${names.snake}/v1`;
  const path = `${folder}/${many.snake}.proto`;
  const taken = tree
    .children(folder)
    .flatMap((file) => protoNames(tree.read(`${folder}/${file}`, 'utf8') ?? '').names);
  for (const each of [name.pascal, `${name.pascal}Request`, `${name.pascal}Response`]) {
    if (taken.includes(each)) throw new Error(`"${each}" is taken in ${folder}`);
  }
  const source = tree.read(path, 'utf8') ?? '';
  tree.write(
    path,
    addRpc(source, `${many.pascal}Service`, {
      method: `  rpc ${name.pascal}(${name.pascal}Request) returns (${name.pascal}Response) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }`,
      messages: `message ${name.pascal}Request {
  // Empty: the platform's own.
  string organization_id = 1;
  string ${one.snake}_id = 2;
}

message ${name.pascal}Response {
  ${one.pascal} ${one.snake} = 1;
}`,
    }),
  );
}

/** @param {Tree} tree @param {import('../../workspace/services.js').Service} service @param {RpcValues} values */
function addToCode(tree, { root }, { one, many, name, callers }) {
  const folder = `${root}/src/${many.kebab}`;
  const message = `${name.pascal}Message`;
  const schemas = new SourceEdit(tree, `${folder}/${many.kebab}.schemas.ts`);
  schemas.append(
    `export const ${message} = z.object({ organizationId: OrganizationId, ${one.camel}Id: Uuid });\n`,
  );
  const edit = new SourceEdit(tree, `${folder}/${many.kebab}.rpc.ts`);
  const everybody = callers.includes('*');
  edit
    .import(`./${many.kebab}.schemas.ts`, [message])
    .import(
      '@gatehouse/guards',
      everybody ? ['AllowedClients', 'ANY_SERVICE'] : ['AllowedClients'],
    );
  const found = classOf(edit.file, `${many.pascal}Rpc`);
  if (!found) throw new Error(`${folder}: the class ${many.pascal}Rpc is not to be found`);
  const allowed = everybody ? 'ANY_SERVICE' : callers.map((caller) => `'${caller}'`).join(', ');
  edit.member(
    found,
    `
  @GrpcMethod('${many.pascal}Service', '${name.pascal}')
  @AllowedClients(${allowed})
  async ${name.camel}(@Payload({ schema: ${message} }) message: z.infer<typeof ${message}>) {
    const query = new Get${one.pascal}(message.organizationId, message.${one.camel}Id);
    return { ${one.camel}: toMessage(await this.queries.execute(query)) };
  }`,
  );
}
