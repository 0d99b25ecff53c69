/** Words that JavaScript and TypeScript keep for themselves, as an identifier in a module. */
const OF_JAVASCRIPT = [
  'arguments as async await break case catch class const continue debugger default delete do else enum eval export',
  'extends false finally for from function get if implements import in instanceof interface let new null of package',
  'private protected public return set static super switch this throw true try type typeof undefined var void while',
  'with yield any boolean never number object string symbol unknown bigint module require global globalThis constructor',
  'prototype',
];

/** Classes and variables that generated code uses by these names: one more would hide them. */
const OF_THE_TEMPLATES = [
  'answer array audit body cached column command controller database date entity error etag event function id idempotent item',
  'location map math module object page param principal promise proxy query record reflect regexp row set timestamp',
  'transactional uuid version view',
];

/** The reserved key words of PostgreSQL 18 (appendix C): as the name of a column each would need quotes. */
const OF_SQL = [
  'all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast',
  'char character check coalesce collate collation column concurrently constraint create cross current_catalog',
  'current_date current_role current_schema current_time current_timestamp current_user dec decimal default deferrable',
  'desc distinct do else end except exists extract false fetch float for foreign freeze from full grant greatest group',
  'grouping having ilike in initially inner inout int integer intersect into is isnull join lateral leading least left',
  'like limit localtime localtimestamp national natural nchar none not notnull null nullif numeric offset on only or',
  'order out outer overlaps overlay placing position precision primary real references returning right row select',
  'session_user setof similar smallint some substring symmetric system_user table tablesample then time timestamp to',
  'trailing treat trim true union unique user using values varchar variadic verbose when where window with xmlattributes',
];

/** Members that every resource has already, or that lists are asked for with. */
const OF_EVERY_RESOURCE =
  'id version created_at updated_at organization_id page_size page_token next_page_token items';

/** Names that the platform's processes, roles and schemas have, besides those of the workspace's services. */
const OF_THE_PLATFORM =
  'gateway auth identity authz audit cli platform provisioner public postgres well-known gatehouse admin health docs';

/** @param {string | readonly string[]} text */
const setOf = (text) => new Set([text].flat().flatMap((line) => line.split(' ')));

export const JAVASCRIPT_WORDS = setOf(OF_JAVASCRIPT);
export const TEMPLATE_WORDS = setOf(OF_THE_TEMPLATES);
export const SQL_WORDS = setOf(OF_SQL);
export const RESOURCE_MEMBERS = setOf(OF_EVERY_RESOURCE);
export const PLATFORM_NAMES = setOf(OF_THE_PLATFORM);
