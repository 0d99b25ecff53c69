import type { Finding } from '@gatehouse/kernel';
import type { DataFolder, Profile } from '../data/data-folder.ts';
import type { PlatformState } from '../data/platform-state.ts';

/** What the doctor looks at. */
export interface Place {
  workspace: string;
  folder: DataFolder;
  profile: Profile;
  /** Of the platform that runs on this folder, where one does. */
  state?: PlatformState | undefined;
}

export function ok(what: string): Finding {
  return { state: 'ok', what };
}

/** It could not be looked at, which is no fault. */
export function unknown(what: string): Finding {
  return { state: 'unknown', what };
}
