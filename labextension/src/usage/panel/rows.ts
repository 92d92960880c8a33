import type { TranslationBundle } from '@jupyterlab/translation';

import { tidy } from '../../api/blanks';
import { describe } from '../../api/messages';
import type { components } from '../../api/schema';
import type { Format } from '../../api/format';
import { why } from '../words';
import { calm } from './names';

type Schemas = components['schemas'];
type Program = Schemas['Program'];

/** One line of the table of kernels and terminals. */
export interface IProgramRow {
  readonly key: string;
  readonly program: Program;
  readonly name: string;
  readonly nameHint: string;
  readonly cpu: string;
  readonly memory: string;
  readonly gpu: string;
  readonly threads: string;

  /** Why a figure of the row is missing; empty where none is. */
  readonly hint: string;
  readonly gpuHint: string;
  readonly state: string;
  readonly stateHint: string;
}

/** Shown where a figure is not known. The reason is in the tooltip. */
const UNKNOWN = '–';

/** Turns programs into lines of a table. */
export class Rows {
  constructor(
    private readonly _trans: TranslationBundle,
    private readonly _format: Format
  ) {}

  /** Kernels, terminals and applications in the server's order, then all else. */
  of(programs: readonly Program[], now: Date): IProgramRow[] {
    const isRest = ({ kind }: Program): boolean => kind === 'server' || kind === 'other';
    const own = programs.filter(program => !isRest(program));
    const rest = programs.filter(isRest);
    return [...own, ...rest].map(program => this._row(program, now));
  }

  /** What a person calls a program. */
  name({ kind, name }: Pick<Program, 'kind' | 'name'>): string {
    switch (kind) {
      case 'server':
        return this._trans.__('JupyterLab itself');
      case 'other':
        return this._trans.__('Other programs');
      default:
        return calm(name);
    }
  }

  private _row(program: Program, now: Date): IProgramRow {
    const { cpu_cores: cpu, memory_bytes: memory, threads } = program;
    const { gpu_memory_bytes: gpu } = program;
    return {
      key: `${program.kind} ${program.id}`,
      program,
      name: this.name(program),
      nameHint: this._nameHint(program),
      cpu: cpu === null ? UNKNOWN : this._format.number(cpu, 1),
      memory: memory === null ? UNKNOWN : this._format.size(memory),
      gpu: gpu === null ? UNKNOWN : this._format.size(gpu),
      threads: threads === null ? UNKNOWN : String(threads),
      hint: why(program.reason, this._trans).join('\n'),
      gpuHint: program.gpu_reason ? describe(program.gpu_reason, this._trans) : '',
      ...this._state(program, now)
    };
  }

  private _nameHint(program: Program): string {
    const { kind, path, language, pid, processes, threads } = program;
    const count = [
      processes === null ? null : this._trans._n('%1 process', '%1 processes', processes),
      threads === null ? null : this._trans._n('%1 thread', '%1 threads', threads),
      pid === null ? null : this._trans.__('PID %1', pid)
    ].filter(text => text !== null);
    return [
      path && tidy(path),
      language && tidy(language),
      count.join(', '),
      kind === 'other' &&
        this._trans.__(
          'As far as this server sees processes; the limit may count fewer of them.'
        )
    ]
      .filter(Boolean)
      .join('\n');
  }

  private _state(
    { state, since }: Program,
    now: Date
  ): { state: string; stateHint: string } {
    if (state === null) {
      return { state: '', stateHint: '' };
    }
    const begun = since === null ? null : new Date(since);
    const lasted =
      begun && this._format.duration(Math.max(now.getTime() - begun.getTime(), 0) / 1000);
    const word = this._stateWord(state);
    return {
      state: lasted === null ? word : `${word} ${lasted}`,
      stateHint:
        begun === null
          ? word
          : this._trans.__('%1 since %2', word, this._format.time(begun, now))
    };
  }

  private _stateWord(state: string): string {
    switch (state) {
      case 'busy':
        return this._trans.__('busy');
      case 'idle':
        return this._trans.__('idle');
      case 'starting':
        return this._trans.__('starting');
      case 'restarting':
        return this._trans.__('restarting');
      case 'dead':
        return this._trans.__('dead');
      case 'running':
        return this._trans.__('running');
      case 'stopping':
        return this._trans.__('stopping');
      default:
        return state;
    }
  }
}
