import process from 'node:process';

import { Inject, Injectable } from '@nestjs/common';

import { certificateExpiries } from '../config/certificates.ts';
import { CommandRegistry } from './command-registry.ts';

/** What was looked at, and how it is. */
export interface Finding {
  /** `unknown`: it could not be looked at, and `what` says why; that is no fault. `problem`: something is to be mended. */
  state: 'ok' | 'warning' | 'problem' | 'unknown';
  /** For people: what is well or wrong, without secrets. */
  what: string;
  /** What to do about it. */
  mend?: string;
}

type Look = () => Promise<readonly Finding[]> | readonly Finding[];

const DAY_MS = 86_400_000;
/** As the alert GatehouseCertificateExpiry: a ticket, then somebody gets up. */
const CERTIFICATE_WARNING_MS = 14 * DAY_MS;
const CERTIFICATE_PROBLEM_MS = 2 * DAY_MS;

/**
 * What this service can say about itself while it does not serve: libraries and the service add what they know how to look
 * at, and the command `doctor` (`node main.js doctor`, `--json` for `gatehouse doctor`) tells what is found. Looks change
 * nothing. That the command runs at all says that the configuration is right.
 */
@Injectable()
export class Checkup {
  readonly #looks = new Map<string, Look>();

  constructor(@Inject(CommandRegistry) commands: CommandRegistry) {
    this.add('configuration', () => [{ state: 'ok', what: 'the configuration is right' }]);
    this.add('certificates', () => certificateFindings(certificateExpiries(), Date.now()));
    commands.add('doctor', 'look for what would keep this service from working', async (args) => {
      const findings = await this.run();
      process.stdout.write(
        args.includes('--json') ? `${JSON.stringify({ findings })}\n` : textOf(findings),
      );
      if (findings.some(({ state }) => state === 'problem')) process.exitCode = 1;
    });
  }

  /** A look that throws is a problem, with the error's message. */
  add(name: string, look: Look): void {
    this.#looks.set(name, look);
  }

  async run(): Promise<Finding[]> {
    const found = await Promise.all(
      [...this.#looks].map(async ([name, look]): Promise<readonly Finding[]> => {
        try {
          return await look();
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error);
          return [{ state: 'problem', what: `${name} could not be looked at: ${why}` }];
        }
      }),
    );
    return found.flat();
  }
}

/** @param expiries by variable, seconds since the epoch */
export function certificateFindings(expiries: ReadonlyMap<string, number>, now: number): Finding[] {
  return [...expiries].map(([variable, seconds]): Finding => {
    const left = seconds * 1000 - now;
    const date = new Date(seconds * 1000).toISOString().slice(0, 10);
    if (left >= CERTIFICATE_WARNING_MS) {
      return { state: 'ok', what: `the certificate in ${variable} is good until ${date}` };
    }
    return {
      state: left < CERTIFICATE_PROBLEM_MS ? 'problem' : 'warning',
      what: `the certificate in ${variable} ${left <= 0 ? 'ended on' : 'ends on'} ${date}`,
      mend: 'issue a new one, replace the file, and restart the instances one after another',
    };
  });
}

function textOf(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ state, what, mend }) => [
    `${state}: ${what}`,
    ...(mend === undefined || state === 'ok' ? [] : [`  ${mend}`]),
  ]);
  return `${lines.join('\n')}\n`;
}
