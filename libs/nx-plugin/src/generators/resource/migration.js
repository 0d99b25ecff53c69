/** @typedef {import('./resource-values.js').ResourceValues} ResourceValues */

/**
 * The element of the list of migrations that makes the table.
 *
 * @param {ResourceValues} values
 * @param {number} number from 1
 */
export function migrationOf({ many, fields }, number) {
  const columns = [
    'id uuid PRIMARY KEY',
    'organization_id uuid',
    ...fields.map(({ sqlLine }) => sqlLine),
    'version integer NOT NULL DEFAULT 1',
    'created_at timestamptz(3) NOT NULL',
    'updated_at timestamptz(3) NOT NULL',
  ];
  const table = many.snake;
  return `{
    name: '${String(number).padStart(4, '0')}-${many.kebab}',
    up: \`
      CREATE TABLE ${table} (
${columns.map((column) => `        ${column}`).join(',\n')}
      );
      CREATE INDEX ${table}_organization ON ${table} (organization_id, id);
    \`,
  }`;
}
