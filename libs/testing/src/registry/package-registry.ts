import { execFile } from 'node:child_process';
import {
  createReadStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

interface Packed {
  filename: string;
  integrity: string;
  shasum: string;
}

interface Manifest {
  name: string;
  version: string;
}

interface Published extends Packed {
  manifest: Manifest;
}

/**
 * Packages that are published nowhere, as npm finds published ones: a registry of one scope on a free port of this machine.
 * They are packed by npm, so that what is installed is what would be published.
 */
export class PackageRegistry {
  /** By package name, in the order they were published. */
  private readonly published = new Map<string, Published[]>();

  private constructor(
    private readonly server: Server,
    private readonly folder: string,
    private readonly npmrc: string,
  ) {}

  /**
   * @param scope '@gatehouse'
   * @param packages absolute folders, each with the package.json of one package of the scope
   * @throws with what npm printed, where one cannot be packed
   */
  static async of(scope: string, packages: readonly string[]): Promise<PackageRegistry> {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-registry-'));
    const server = createServer();
    const registry = new PackageRegistry(server, folder, join(folder, 'npmrc'));
    server.on('request', (request, response) => {
      const path = decodeURIComponent(request.url ?? '').slice(1);
      // What is published later must be seen, and nothing of it kept for who is served by this port next.
      response.setHeader('cache-control', 'no-store');
      const versions = registry.published.get(path);
      const file = /^-\/([\w.-]+\.tgz)$/.exec(path)?.[1];
      if (versions) {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(documentOf(versions, `http://${request.headers.host ?? ''}`)));
      } else if (file !== undefined && existsSync(join(folder, file))) {
        createReadStream(join(folder, file)).pipe(response);
      } else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      await registry.publish(packages);
      const { port } = server.address() as AddressInfo;
      const line = `${scope}:registry=http://127.0.0.1:${port}`;
      writeFileSync(registry.npmrc, `${await globalSettings(folder)}\n${line}\n`);
    } catch (error) {
      await registry.stop();
      throw error;
    }
    return registry;
  }

  /** As above. What was published last of a name is its `latest`. */
  async publish(packages: readonly string[]): Promise<void> {
    const args = ['pack', '--json', '--silent', '--ignore-scripts', '--pack-destination'];
    const { stdout } = await run('npm', [...args, this.folder, ...packages], {
      env: withoutNpm(process.env),
      maxBuffer: 64 * 1024 * 1024,
    });
    // One a folder, in their order; npm 12 names them instead.
    const packed = Object.values(JSON.parse(stdout) as Record<string, Packed>);
    packages.forEach((path, index) => {
      const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest;
      const { name } = manifest;
      const earlier = this.published.get(name) ?? [];
      this.published.set(name, [...earlier, { ...(packed[index] ?? missing(name)), manifest }]);
    });
  }

  /** Absolute paths of what was published last, by package name. */
  get tarballs(): ReadonlyMap<string, string> {
    return new Map(
      [...this.published].map(([name, versions]) => [
        name,
        join(this.folder, versions.at(-1)?.filename ?? missing(name)),
      ]),
    );
  }

  /**
   * For a process that runs npm: this one's, with the scope taken from here. In a file, because a shell in between would drop a
   * variable that is named after a scope.
   */
  get env(): Record<string, string> {
    return { ...withoutNpm(process.env), npm_config_globalconfig: this.npmrc };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * What the machine has set for all, which this stands in for.
 *
 * @param cwd anywhere outside a workspace: npm does not say it there
 */
async function globalSettings(cwd: string): Promise<string> {
  const env = withoutNpm(process.env);
  const { stdout } = await run('npm', ['config', 'get', 'globalconfig'], { cwd, env });
  return existsSync(stdout.trim()) ? readFileSync(stdout.trim(), 'utf8') : '';
}

/** @param base of the registry's addresses @returns what npm reads of a package */
function documentOf(versions: readonly Published[], base: string): object {
  const of = ({ manifest, filename, integrity, shasum }: Published) => ({
    ...manifest,
    dist: { tarball: `${base}/-/${filename}`, integrity, shasum },
  });
  return {
    name: versions[0]?.manifest.name,
    'dist-tags': { latest: versions.at(-1)?.manifest.version },
    versions: Object.fromEntries(versions.map((each) => [each.manifest.version, of(each)])),
  };
}

function missing(name: string): never {
  throw new Error(`npm did not pack ${name}`);
}

/** What the npm or Jest that runs this told itself. */
function withoutNpm(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined &&
        !/^(npm_(?!config_)|npm_config_local_prefix|NODE_OPTIONS$|NX_|INIT_CWD$)/.test(entry[0]),
    ),
  );
}
