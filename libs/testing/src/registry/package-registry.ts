import { execFile } from 'node:child_process';
import { createReadStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

interface Packed {
  filename: string;
  integrity: string;
  shasum: string;
}

interface Manifest {
  name: string;
  version: string;
}

/**
 * Packages that are published nowhere, as npm finds published ones: a registry of one scope on a free port of this machine.
 * They are packed by npm, so that what is installed is what would be published.
 */
export class PackageRegistry {
  private constructor(
    private readonly server: Server,
    private readonly folder: string,
    /** Absolute paths of the tarballs, by package name. */
    readonly tarballs: ReadonlyMap<string, string>,
    private readonly scope: string,
  ) {}

  /**
   * @param scope '@gatehouse'
   * @param packages absolute folders, each with the package.json of one package of the scope
   * @throws with what npm printed, where one cannot be packed
   */
  static async of(scope: string, packages: readonly string[]): Promise<PackageRegistry> {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-registry-'));
    const { stdout } = await promisify(execFile)(
      'npm',
      ['pack', '--json', '--silent', '--ignore-scripts', '--pack-destination', folder, ...packages],
      { env: withoutNpm(process.env), maxBuffer: 64 * 1024 * 1024 },
    );
    // One a folder, in their order; npm 12 names them instead.
    const packed = Object.values(JSON.parse(stdout) as Record<string, Packed>);
    const tarballs = new Map<string, string>();
    const documents = new Map<string, (base: string) => object>();
    packages.forEach((path, index) => {
      const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest;
      const { filename, integrity, shasum } = packed[index] ?? missing(manifest.name);
      tarballs.set(manifest.name, join(folder, filename));
      documents.set(manifest.name, (base) => ({
        name: manifest.name,
        'dist-tags': { latest: manifest.version },
        versions: {
          [manifest.version]: {
            ...manifest,
            dist: { tarball: `${base}/-/${filename}`, integrity, shasum },
          },
        },
      }));
    });
    const server = createServer((request, response) => {
      const path = decodeURIComponent(request.url ?? '').slice(1);
      const document = documents.get(path);
      if (document) {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(document(`http://${request.headers.host ?? ''}`)));
        return;
      }
      const file = [...tarballs.values()].find(
        (each) => path === `-/${each.slice(folder.length + 1)}`,
      );
      if (file) createReadStream(file).pipe(response);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new PackageRegistry(server, folder, tarballs, scope);
  }

  /** For a process that runs npm: this one's, with the scope taken from here. */
  get env(): Record<string, string> {
    const { port } = this.server.address() as AddressInfo;
    return {
      ...withoutNpm(process.env),
      [`npm_config_${this.scope}:registry`]: `http://127.0.0.1:${port}`,
    };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    rmSync(this.folder, { recursive: true, force: true });
  }
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
