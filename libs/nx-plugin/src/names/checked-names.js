import { namesOf, pluralOf, singularOf, wordsOf } from './names.js';
import {
  JAVASCRIPT_WORDS,
  PLATFORM_NAMES,
  RESOURCE_MEMBERS,
  SQL_WORDS,
  TEMPLATE_WORDS,
} from './reserved.js';

/** @typedef {import('./names.js').Names} Names */
/** @typedef {{ one: Names; many: Names }} ResourceNames */

/** The directory that the provisioner signs takes no longer one. */
const LONGEST_SERVICE = 41;
/** Identifiers of PostgreSQL have 63 bytes, and some get a suffix. */
const LONGEST = 40;

/**
 * @param {string} what named in the message: `service`
 * @param {string} given
 * @param {number} [longest]
 * @returns {Names}
 */
function identifier(what, given, longest = LONGEST) {
  const words = wordsOf(given);
  const fault =
    words.length === 0
      ? 'it is empty'
      : !words.every((word) => /^[a-z0-9]+$/.test(word))
        ? 'letters a to z, digits and word separators alone make a name'
        : !/^[a-z]/.test(words[0] ?? '')
          ? 'it begins with a letter'
          : words.join('-').length > longest
            ? `it has at most ${longest} characters`
            : undefined;
  if (fault) throw new Error(`"${given}" cannot name a ${what}: ${fault}`);
  return namesOf(given);
}

/** @param {string} given */
export function serviceNames(given) {
  const names = identifier('service', given, LONGEST_SERVICE);
  if (
    PLATFORM_NAMES.has(names.kebab) ||
    JAVASCRIPT_WORDS.has(names.camel) ||
    names.kebab.startsWith('pg-')
  ) {
    throw new Error(`"${given}" cannot name a service: "${names.kebab}" is reserved`);
  }
  return names;
}

/**
 * @param {string} given in either number: `Order Items` and `order-item` are the same
 * @returns {ResourceNames}
 */
export function resourceNames(given) {
  identifier('resource', given);
  const one = namesOf(singularOf(given));
  const many = namesOf(pluralOf(given));
  for (const { camel, snake } of [one, many]) {
    if (JAVASCRIPT_WORDS.has(camel) || TEMPLATE_WORDS.has(snake)) {
      throw new Error(`"${given}" cannot name a resource: "${camel}" is reserved`);
    }
  }
  if (SQL_WORDS.has(many.snake)) {
    throw new Error(`"${given}" cannot name a resource: "${many.snake}" is reserved in SQL`);
  }
  return { one, many };
}

/** @param {string} given */
export function fieldNames(given) {
  const names = identifier('field', given);
  if (RESOURCE_MEMBERS.has(names.snake)) {
    throw new Error(
      `"${given}" cannot name a field: every resource has "${names.snake}" or keeps it`,
    );
  }
  for (const [reserved, where] of /** @type {const} */ ([
    [SQL_WORDS.has(names.snake), 'SQL'],
    [JAVASCRIPT_WORDS.has(names.camel), 'TypeScript'],
  ])) {
    if (reserved)
      throw new Error(`"${given}" cannot name a field: "${names.snake}" is reserved in ${where}`);
  }
  return names;
}

/**
 * Of what is named by a verb or a fact: a command, a query, an event, an rpc, a client, a library.
 *
 * @param {string} what
 * @param {string} given
 */
export function partNames(what, given) {
  const names = identifier(what, given);
  if (JAVASCRIPT_WORDS.has(names.camel) || TEMPLATE_WORDS.has(names.snake)) {
    throw new Error(`"${given}" cannot name a ${what}: "${names.camel}" is reserved`);
  }
  return names;
}
