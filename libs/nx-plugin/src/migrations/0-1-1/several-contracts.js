import {
  contractSuiteTakesAList,
  contractTargetsAreInferred,
  tagsSayWhatItIs,
} from '../../shape/rules.js';
import { servicesOf } from '../../workspace/services.js';
import { format } from '../../workspace/write.js';

const RULES = [contractTargetsAreInferred, contractSuiteTakesAList, tagsSayWhatItIs];

/**
 * A contract has any number of gRPC services: `describeContract` takes a list of them, and the targets that generate and
 * check the .proto are inferred. A project whose e2e tests start the platform says so in its tags.
 *
 * @param {import('@nx/devkit').Tree} tree
 */
export default async function severalContracts(tree) {
  for (const service of servicesOf(tree)) {
    for (const rule of RULES) for (const { fix } of rule(tree, service)) fix?.();
  }
  await format(tree);
}
