import { logger } from '@nx/devkit';

import { RULES } from '../../shape/rules.js';
import { serviceCalled, servicesOf } from '../../workspace/services.js';
import { format } from '../../workspace/write.js';

/** @typedef {import('@nx/devkit').Tree} Tree */
/** @typedef {import('../../shape/rules.js').Departure} Departure */

/** The gateway is the platform's edge, and no service in this sense. */
const NO_SERVICE = 'gateway';

/**
 * @param {Tree} tree
 * @param {{ service?: string }} options
 */
export default async function check(tree, { service }) {
  const services = service
    ? [serviceCalled(tree, service)]
    : servicesOf(tree).filter(({ names }) => names.kebab !== NO_SERVICE);
  const departures = services.flatMap((each) => departuresOf(tree, each));
  for (const { fix } of departures) fix?.();
  await format(tree);
  const names = services.map((each) => each.names.kebab).join(', ');
  return () => logger.info(report(names, departures));
}

/** @param {Tree} tree @param {import('../../workspace/services.js').Service} service */
export const departuresOf = (tree, service) => RULES.flatMap((rule) => rule(tree, service));

/**
 * @param {string} names
 * @param {readonly Departure[]} departures
 */
export function report(names, departures) {
  if (departures.length === 0) return `${names}: as today's template has it`;
  const line = (/** @type {Departure} */ { file, says, fix }) =>
    `  ${fix ? 'fixed  ' : 'TO DO  '} ${file} ${says}`;
  return [`${names}:`, ...departures.map(line)].join('\n');
}
