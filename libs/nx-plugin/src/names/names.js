import pluralize from 'pluralize';

/**
 * One name in each form that code needs.
 *
 * @typedef {object} Names
 * @property {string} kebab `order-item`: files, permissions, routes
 * @property {string} camel `orderItem`
 * @property {string} pascal `OrderItem`: classes
 * @property {string} snake `order_item`: columns, members, packages
 * @property {string} constant `ORDER_ITEM`: error codes, constants
 * @property {string} words `order item`: sentences
 * @property {string} sentence `Order item`
 * @property {string} article `an order item`
 * @property {() => string} toString `order-item`: in the name of a template
 */

/**
 * The words of a name in any case: `Order Items`, `order-items`, `orderItems` and `ORDER_ITEMS` are the same.
 *
 * @param {string} text
 * @returns {string[]} in lower case
 */
export function wordsOf(text) {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .split(/[\s_.-]+/)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());
}

/**
 * @param {string} text in any case
 * @returns {Names}
 */
export function namesOf(text) {
  const words = wordsOf(text);
  const capital = (/** @type {string} */ word) => word.slice(0, 1).toUpperCase() + word.slice(1);
  const pascal = words.map(capital).join('');
  const kebab = words.join('-');
  const spoken = words.join(' ');
  return {
    kebab,
    camel: pascal.slice(0, 1).toLowerCase() + pascal.slice(1),
    pascal,
    snake: words.join('_'),
    constant: words.join('_').toUpperCase(),
    words: spoken,
    sentence: capital(spoken),
    article: withArticle(spoken),
    toString: () => kebab,
  };
}

/** @param {string} text the number of its last word decides */
export const singularOf = (text) => lastWord(text, pluralize.singular);

/** @param {string} text */
export const pluralOf = (text) => lastWord(text, pluralize.plural);

/**
 * @param {string} text
 * @param {(word: string) => string} change
 */
function lastWord(text, change) {
  const words = wordsOf(text);
  const last = words.pop() ?? '';
  return [...words, change(last)].join(' ');
}

/** @param {string} text `an order`, `a line` */
export const withArticle = (text) => `${/^[aeiou]/i.test(text) ? 'an' : 'a'} ${text}`;
