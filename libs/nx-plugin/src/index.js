/*
 * Nx loads this file before anything is built, on whatever Node started it: hence JavaScript with
 * types in comments, checked by `typecheck` like the rest.
 */
export { createNodes } from './inference/create-nodes.js';
