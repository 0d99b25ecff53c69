import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { freePort, startProcess } from '@gatehouse/testing';
import { TestClient } from '@gatehouse/testing-platform';

const MAIN = fileURLToPath(new URL('../../../apps/cli/dist/main.js', import.meta.url));

/** `npm start` on data and ports of its own. */
export class Launcher {
  #parent = mkdtempSync(join(tmpdir(), 'gatehouse-chaos-launcher-'));
  #folder = join(this.#parent, 'data');
  #process;
  #ports;

  constructor() {
    // Run as root, PostgreSQL is another user's, who must be able to pass through.
    chmodSync(this.#parent, 0o711);
  }

  /** Until it says that it is ready. */
  async start() {
    this.#ports ??= [await freePort(), await freePort()];
    const [gateway, admin] = this.#ports.map(String);
    this.#process = await startProcess(process.execPath, [MAIN, 'start'], {
      env: {
        GATEHOUSE_DATA_DIR: this.#folder,
        GATEWAY_PORT: gateway,
        GATEWAY_ADMIN_PORT: admin,
        GATEWAY_PRINCIPAL_LIMIT: '1000000',
        GATEWAY_ADDRESS_LIMIT: '1000000',
      },
      readyWhen: /Ctrl-C stops everything/,
      readyTimeoutMs: 180_000,
    });
  }

  async kill() {
    await this.#process.kill('SIGKILL');
  }

  async stop() {
    await this.#process.kill('SIGTERM');
  }

  pids() {
    const { services } = JSON.parse(readFileSync(join(this.#folder, 'state.json'), 'utf8'));
    return {
      postgres: Number(readFileSync(this.pidFile, 'utf8').split('\n')[0]),
      services: Object.values(services).map(({ pid }) => pid),
    };
  }

  get pidFile() {
    return join(this.#folder, 'postgres', 'postmaster.pid');
  }

  get postgresRuns() {
    try {
      process.kill(this.pids().postgres, 0);
      return true;
    } catch {
      return false;
    }
  }

  /** Logged in anew: its sessions outlive the platform, its tokens a restart of it too. */
  async administrator() {
    const file = readFileSync(join(this.#folder, 'administrator.json'), 'utf8');
    const { email, password } = JSON.parse(file);
    const client = new TestClient(`http://127.0.0.1:${this.#ports[0]}`);
    const { status, body } = await client.post('/v1/auth/login', { email, password });
    if (status !== 200) throw new Error(`the login was answered ${status}`);
    return client.as(body.access_token);
  }

  async remove() {
    if (this.#process?.running) await this.#process.kill('SIGTERM');
    rmSync(this.#parent, { recursive: true, force: true });
  }
}
