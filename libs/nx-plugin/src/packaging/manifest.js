/** The condition by which projects of one workspace read each other's sources. There are none in a package. */
const SOURCE = '@gatehouse/source';

/**
 * What npm publishes of a package.json: without what serves its own workspace alone, and with the types of each entry.
 *
 * @param {Record<string, any>} own
 * @returns {{ manifest: Record<string, any>, entries: string[] }} entries: the JavaScript files that are imported by name
 */
export function publishedManifest(own) {
  if (own.private === true) throw new Error(`${own.name} is private: it is not published`);
  const manifest = { ...own };
  delete manifest.devDependencies;
  delete manifest.scripts;
  /** @type {string[]} */
  const entries = [];
  const exports = Object.entries(own.exports ?? {}).map(([path, target]) => {
    const rest = typeof target === 'string' ? { default: target } : { ...target };
    delete rest[SOURCE];
    if (!/\.m?js$/.test(rest.default)) return [path, target];
    entries.push(rest.default);
    return [path, { types: declarationOf(rest.default), ...rest }];
  });
  return { manifest: { ...manifest, exports: Object.fromEntries(exports) }, entries };
}

/** @param {string} file */
export const declarationOf = (file) => file.replace(/\.(m?)js$/, '.d.$1ts');
