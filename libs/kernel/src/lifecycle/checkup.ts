import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

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

const ATTEMPTS = 3;
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
    this.add('certificates', () => certificateFindings(configuredCertificates(), Date.now()));
    commands.add('doctor', 'look for what would keep this service from working', async (args) => {
      const findings = await this.run();
      process.stdout.write(
        args.includes('--json') ? `${JSON.stringify({ findings })}\n` : textOf(findings),
      );
      if (findings.some(({ state }) => state === 'problem')) process.exitCode = 1;
    });
  }

  /** A look that goes on throwing is a problem, with the error's message. */
  add(name: string, look: Look): void {
    this.#looks.set(name, look);
  }

  /** One look after the other. */
  async run(pauseMs = 1_000): Promise<Finding[]> {
    const found: Finding[] = [];
    for (const [name, look] of this.#looks) found.push(...(await outcomeOf(name, look, pauseMs)));
    return found;
  }
}

/** What is only slow, an engine of a busy machine say, is no finding: it is looked at again. */
async function outcomeOf(name: string, look: Look, pauseMs: number): Promise<readonly Finding[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await look();
    } catch (error) {
      if (attempt < ATTEMPTS) {
        await sleep(pauseMs);
        continue;
      }
      const why = error instanceof Error ? error.message : String(error);
      return [{ state: 'problem', what: `${name} could not be looked at: ${why}` }];
    }
  }
}

/** Those in variables of this process. */
export function configuredCertificates(): Map<string, number> {
  return new Map([...certificateExpiries()].map(([variable, ends]) => [`in ${variable}`, ends]));
}

/** @param expiries by where it is (`in KAFKA_TLS_CA`, `of Redis at cache:6379`), seconds since the epoch */
export function certificateFindings(expiries: ReadonlyMap<string, number>, now: number): Finding[] {
  return [...expiries].map(([where, seconds]): Finding => {
    const left = seconds * 1000 - now;
    const date = new Date(seconds * 1000).toISOString().slice(0, 10);
    if (left >= CERTIFICATE_WARNING_MS) {
      return { state: 'ok', what: `the certificate ${where} is good until ${date}` };
    }
    return {
      state: left < CERTIFICATE_PROBLEM_MS ? 'problem' : 'warning',
      what: `the certificate ${where} ${left <= 0 ? 'ended on' : 'ends on'} ${date}`,
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
