import { readFileSync } from 'node:fs';
import { DockerfileParser, type Instruction, type ModifiableInstruction } from 'dockerfile-ast';

/** One instruction, with what is written in it; variables are not replaced yet. */
export interface Step {
  keyword: string;
  /** `--from=built` is `{ from: 'built' }`. */
  flags: Readonly<Record<string, string>>;
  /** What follows the flags, continued lines joined. */
  text: string;
  /** The same in words, without quotes; of the JSON form, its strings. */
  words: readonly string[];
  /** `NAME=value` pairs of ENV, LABEL and ARG, without quotes. */
  pairs: readonly (readonly [string, string])[];
  /** 1 is the first. */
  line: number;
}

export interface Stage {
  /** What it begins from: an image, or a stage before. */
  from: string;
  name: string;
  steps: readonly Step[];
}

export interface Dockerfile {
  /** ARG before the first stage: defaults for FROM. */
  defaults: Readonly<Record<string, string>>;
  stages: readonly Stage[];
}

/** @throws where it holds an instruction before the first FROM that is not ARG */
export function readDockerfile(file: string): Dockerfile {
  const defaults: Record<string, string> = {};
  const stages: (Stage & { steps: Step[] })[] = [];
  for (const instruction of DockerfileParser.parse(readFileSync(file, 'utf8')).getInstructions()) {
    const step = stepOf(instruction);
    const stage = stages.at(-1);
    if (step.keyword === 'FROM') {
      const [from = '', , name = ''] = step.words;
      stages.push({ from, name, steps: [] });
    } else if (stage) {
      stage.steps.push(step);
    } else if (step.keyword === 'ARG') {
      Object.assign(defaults, Object.fromEntries(step.pairs));
    } else {
      throw new Error(`line ${step.line}: ${step.keyword} before the first FROM`);
    }
  }
  return { defaults, stages };
}

/** `${NAME}` and `$NAME` by their values, by nothing where there is none. */
export function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (_all, braced?: string, bare?: string) => {
    return values[braced ?? bare ?? ''] ?? '';
  });
}

function stepOf(instruction: Instruction): Step {
  const flags = hasFlags(instruction) ? instruction.getFlags() : [];
  const written = (instruction.getRawArgumentsContent() ?? '').replaceAll(/\\\r?\n\s*/g, ' ');
  const text = written.replace(/^(--\S+\s+)*/, '');
  const json = /\[.*\]$/.exec(text)?.[0];
  return {
    keyword: instruction.getKeyword(),
    flags: Object.fromEntries(flags.map((flag) => [flag.getName(), flag.getValue() ?? ''])),
    text,
    words: json ? (JSON.parse(json) as string[]) : wordsOf(text),
    pairs: ['ENV', 'LABEL', 'ARG'].includes(instruction.getKeyword()) ? pairsOf(text) : [],
    line: instruction.getInstructionRange().start.line + 1,
  };
}

function hasFlags(instruction: Instruction): instruction is ModifiableInstruction {
  return 'getFlags' in instruction;
}

/** Words, which quotes may keep together. */
function wordsOf(text: string): string[] {
  return [...text.matchAll(/(?:"[^"]*"|[^\s"])+/g)].map(([word]) => word.replaceAll('"', ''));
}

function pairsOf(text: string): [string, string][] {
  return wordsOf(text).map((word) => {
    const [name = '', ...value] = word.split('=');
    return [name, value.join('=')];
  });
}
