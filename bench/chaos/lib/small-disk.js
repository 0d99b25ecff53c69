import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const SIZE = '24m';

/** Why there can be no small disk here. */
export function noSmallDisk() {
  if (process.getuid?.() !== 0) return 'a tmpfs is mounted by root alone';
  const probe = mkdtempSync(join(tmpdir(), 'gatehouse-chaos-probe-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', probe], { stdio: 'ignore' });
    execFileSync('umount', [probe]);
    return undefined;
  } catch {
    return 'a tmpfs cannot be mounted here';
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}

/** A tablespace on a tmpfs, which can be filled and emptied. */
export class SmallDisk {
  static #count = 0;
  name = `chaos_disk_${process.pid}_${++SmallDisk.#count}`;

  constructor(postgres, folder) {
    this.postgres = postgres;
    this.folder = folder;
    this.ballast = join(folder, 'ballast');
  }

  static async mount(postgres) {
    const folder = join(postgres.folder, `disk-${process.pid}-${SmallDisk.#count}`);
    mkdirSync(folder);
    const { uid, gid } = statSync(join(postgres.folder, 'data'));
    execFileSync('mount', [
      '-t',
      'tmpfs',
      '-o',
      `size=${SIZE},uid=${uid},gid=${gid},mode=700`,
      'tmpfs',
      folder,
    ]);
    const disk = new SmallDisk(postgres, folder);
    mkdirSync(join(folder, 'space'));
    execFileSync('chown', [`${uid}:${gid}`, join(folder, 'space')]);
    await postgres.query(`CREATE TABLESPACE ${disk.name} LOCATION '${join(folder, 'space')}'`);
    return disk;
  }

  /** The table and its indexes. */
  async move(platform, table) {
    const query = platform.database('public');
    const indexes = await query(
      'SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indrelid = $1::regclass',
      [table],
    );
    await query(`ALTER TABLE ${table} SET TABLESPACE ${this.name}`);
    for (const { name } of indexes) await query(`ALTER INDEX ${name} SET TABLESPACE ${this.name}`);
  }

  /** Nothing more fits. */
  fill() {
    const file = openSync(this.ballast, 'w');
    const block = Buffer.alloc(8192);
    try {
      for (;;) writeSync(file, block);
    } catch (error) {
      if (error.code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  empty() {
    unlinkSync(this.ballast);
  }

  async unmount() {
    // The platform's database is dropped by now, and the tablespace empty.
    await this.postgres.query(`DROP TABLESPACE ${this.name}`).catch(() => undefined);
    execFileSync('umount', ['-l', this.folder]);
  }
}
