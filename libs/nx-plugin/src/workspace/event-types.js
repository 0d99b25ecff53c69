import { readJson } from '@nx/devkit';

import { packagedServicesOf } from './services.js';

/** @typedef {import('@nx/devkit').Tree} Tree */

/**
 * @typedef {object} PublishedEvent
 * @property {string} type `identity.user.deleted.v1`
 * @property {string} service that publishes it
 * @property {unknown} example data that its schema takes
 */

const CONTRACTS = 'libs/contracts';
const SUFFIX = '.schema.json';

/**
 * An event of the workspace or of the platform's packages, by the schemas that its contract has committed.
 *
 * @param {Tree} tree
 * @param {string} type
 * @returns {PublishedEvent}
 * @throws Error that lists the events of the service that it names, or of all
 */
export function eventCalled(tree, type) {
  const contracts = [
    ...tree.children(CONTRACTS).map((service) => ({ service, folder: `${CONTRACTS}/${service}` })),
    ...packagedServicesOf(tree).map(({ names, contractRoot }) => ({
      service: names.kebab,
      folder: contractRoot,
    })),
  ];
  const all = contracts.flatMap(({ service, folder }) =>
    tree
      .children(`${folder}/schemas`)
      .filter((file) => file.endsWith(SUFFIX))
      .map((file) => ({
        service,
        type: file.slice(0, -SUFFIX.length),
        path: `${folder}/schemas/${file}`,
      })),
  );
  const found = all.find((each) => each.type === type);
  if (!found) {
    const same = all.filter(({ service }) => type.startsWith(`${service}.`));
    const known = (same.length > 0 ? same : all).map((each) => each.type).join(', ');
    throw new Error(`there is no event "${type}"; there are ${known}`);
  }
  const schema = readJson(tree, found.path);
  return { type, service: found.service, example: exampleOf(schema) };
}

/**
 * The smallest value that a JSON Schema takes, as far as zod writes them.
 *
 * @param {any} schema
 * @returns {unknown}
 */
export function exampleOf(schema) {
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  const either = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(either)) return exampleOf(either[0]);
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        (schema.required ?? []).map((/** @type {string} */ name) => [
          name,
          exampleOf(schema.properties[name]),
        ]),
      );
    case 'array':
      return [];
    case 'integer':
    case 'number':
      return schema.minimum > -1_000_000 ? schema.minimum : 1;
    case 'boolean':
      return true;
    case 'string':
      return exampleText(schema);
    default:
      return null;
  }
}

/** @param {{ format?: string; minLength?: number }} schema */
function exampleText({ format, minLength = 1 }) {
  if (format === 'uuid') return '01890a5d-ac96-774b-bcce-b302099a8057';
  if (format === 'date-time') return '2026-11-23T06:15:00.000Z';
  if (format === 'date') return '2026-11-23';
  if (format === 'email') return 'ada@example.com';
  if (format === 'uri') return 'https://example.com/';
  return 'x'.repeat(Math.max(1, minLength));
}
