import { away } from './away.js';
import { betweenTwoSteps } from './between-two-steps.js';
import { clock } from './clock.js';
import { database } from './database.js';
import { engines } from './engines.js';
import { keys } from './keys.js';
import { launcher } from './launcher.js';
import { overload } from './overload.js';
import { poison } from './poison.js';
import { restarts } from './restarts.js';
import { selfCheck } from './self-check.js';
import { serviceKilled } from './service-killed.js';
import { stopped } from './stopped.js';
import { tampered } from './tampered.js';

/**
 * @typedef {object} Row a fault, and what must hold
 * @property {string} name
 * @property {string} title
 * @property {string} criterion
 * @property {string[]} [profiles] default both
 * @property {string[]} [engines] that must be among those used
 * @property {boolean} [short] part of the short form
 * @property {() => Promise<string | undefined> | string | undefined} [unless] why it cannot run here
 * @property {(stage: import('../lib/stage.js').Stage) => Promise<void>} run
 */

/** @type {Row[]} */
export const rows = [
  ...serviceKilled,
  ...betweenTwoSteps,
  ...database,
  ...launcher,
  ...engines,
  ...stopped,
  ...clock,
  ...poison,
  ...away,
  ...tampered,
  ...keys,
  ...restarts,
  ...overload,
  ...selfCheck,
];
