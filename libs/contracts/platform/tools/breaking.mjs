// Fails where the .proto files of a contract project break the callers of those on the main branch.
//   nx run contracts-auth:buf-breaking
// Compared with origin/main, else main; with neither, or a contract that is new, there is nothing to break.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const project = resolve(process.argv[2] ?? '.');

const has = (ref) =>
  spawnSync('git', ['rev-parse', '--verify', '--quiet', `${ref}:./proto`], { cwd: project })
    .status === 0;
const ref = ['refs/remotes/origin/main', 'refs/heads/main'].find(has);

if (ref === undefined) {
  console.log('no earlier version of this contract on main: nothing to compare with');
} else {
  const earlier = mkdtempSync(join(tmpdir(), 'gatehouse-proto-'));
  try {
    const archive = execFileSync('git', ['archive', ref, 'proto'], { cwd: project });
    execFileSync('tar', ['-x', '-C', earlier], { input: archive });
    const { status } = spawnSync(
      'buf',
      ['breaking', 'proto', '--against', join(earlier, 'proto')],
      {
        cwd: project,
        stdio: 'inherit',
      },
    );
    process.exitCode = status ?? 1;
  } finally {
    rmSync(earlier, { recursive: true, force: true });
  }
}
