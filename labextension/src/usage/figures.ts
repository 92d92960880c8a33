import type { TranslationBundle } from '@jupyterlab/translation';

import type { components } from '../api/schema';
import type { Format } from '../api/format';
import { levelOf, type Level } from './level';
import type { IUsageSettings } from './settings';
import { coverage, limitOrigin, why } from './words';

type Schemas = components['schemas'];

/** One line of the table of exact figures. */
export interface IRow {
  readonly name: string;
  readonly used: string;
  readonly limit: string;
  readonly share: string;
}

/** One resource as the interface shows it. */
export interface IFigure {
  readonly key: string;
  readonly kind: 'cpu' | 'memory' | 'gpu';
  readonly label: string;

  /** The figure for the status bar: "1.9/2". */
  readonly compact: string;

  /** What the status bar drops first where space is short; may be empty. */
  readonly extra: string;

  /** Filled part of the bar, 0 to 1; null where there is nothing to fill. */
  readonly share: number | null;

  readonly level: Level;

  /** One sentence that says it all, the level included. */
  readonly summary: string;

  /** What it covers, where it was read, why a part of it is missing. */
  readonly notes: readonly string[];

  readonly rows: readonly IRow[];
}

/** Shown where a figure is not known. The reason is in the notes. */
const UNKNOWN = '–';

/** Turns snapshots into figures; remembers the levels between them. */
export class Figures {
  constructor(
    private readonly _trans: TranslationBundle,
    private readonly _format: Format
  ) {}

  /** Everything that a snapshot tells, in the order of the interface. */
  of(usage: Schemas['UsageSnapshot'], settings: IUsageSettings): IFigure[] {
    const figures = [
      this._cpu(usage.cpu, settings),
      this._memory(usage.memory, settings),
      ...usage.gpus.map(gpu => this._gpu(gpu, usage, settings))
    ];
    this._levels = new Map(figures.map(({ key, level }) => [key, level]));
    return usage.gpus.length === 0 ? [...figures, ...this._noGpu(usage)] : figures;
  }

  private _cpu(cpu: Schemas['CpuUsage'], settings: IUsageSettings): IFigure {
    const { used_cores: used, limit_cores: limit } = cpu;
    const label = this._trans.__('CPU');
    const share = shareOf(used, limit);
    // Using all cores is what they are for: never critical.
    const level = this._level('cpu', share, settings.warnCpuPercent, false);
    return {
      key: 'cpu',
      kind: 'cpu',
      label,
      compact: used === null ? UNKNOWN : this._format.compactCores(used, limit),
      extra: '',
      share,
      level,
      summary: this._summary(
        label,
        level,
        used === null ? null : this._format.cores(used, limit)
      ),
      notes: [
        ...why(cpu.reason, this._trans),
        coverage(cpu, this._trans),
        limitOrigin(cpu.limit_source, this._trans)
      ],
      rows: [
        {
          name: label,
          used: used === null ? UNKNOWN : this._format.cores(used, null, 2),
          limit: limit === null ? UNKNOWN : this._format.coresLimit(limit),
          share: this._share(share)
        }
      ]
    };
  }

  private _memory(memory: Schemas['MemoryUsage'], settings: IUsageSettings): IFigure {
    const { working_set_bytes: used, limit_bytes: limit } = memory;
    const label = this._trans.__('Memory');
    const share = shareOf(used, limit);
    const level = this._level('memory', share, settings.warnMemoryPercent, true);
    return {
      key: 'memory',
      kind: 'memory',
      label,
      compact: used === null ? UNKNOWN : this._format.compactBytes(used, limit),
      extra: '',
      share,
      level,
      summary: this._summary(
        label,
        level,
        used === null ? null : this._format.bytes(used, limit)
      ),
      notes: [
        ...(level === 'normal'
          ? []
          : [
              this._trans.__(
                'At the limit the system kills programs and unsaved results are lost: shut down kernels that you do not need, or start a larger server.'
              )
            ]),
        ...why(memory.reason, this._trans),
        coverage(memory, this._trans),
        limitOrigin(memory.limit_source, this._trans)
      ],
      rows: [this._bytesRow(label, used, limit)]
    };
  }

  private _gpu(
    gpu: Schemas['GpuUsage'],
    usage: Schemas['UsageSnapshot'],
    settings: IUsageSettings
  ): IFigure {
    const { memory_used_bytes: used, memory_total_bytes: limit, utilization } = gpu;
    const label = this._gpuLabel(gpu, usage.gpus);
    const share = shareOf(used, limit);
    // A full GPU raises an error that a program can handle: never critical.
    const level = this._level(gpu.uuid, share, settings.warnGpuPercent, false);
    const memory = used === null ? null : this._format.bytes(used, limit);
    const busy = utilization === null ? null : this._format.percent(utilization);
    const said = [memory, busy === null ? null : this._trans.__('utilization %1', busy)];
    const known = said.filter(text => text !== null).join(', ');
    return {
      key: gpu.uuid,
      kind: 'gpu',
      label,
      compact: used === null ? (busy ?? UNKNOWN) : this._format.compactBytes(used, limit),
      extra: used === null ? '' : (busy ?? ''),
      share: share ?? utilization,
      level,
      summary: this._summary(label, level, known || null),
      notes: [
        gpu.name,
        ...why(gpu.reason, this._trans),
        ...why(usage.gpu_status.reason, this._trans),
        coverage(gpu, this._trans)
      ],
      rows: [
        this._bytesRow(this._trans.__('%1 memory', label), used, limit),
        {
          name: this._trans.__('%1 utilization', label),
          used: '',
          limit: '',
          share: busy ?? UNKNOWN
        }
      ]
    };
  }

  /** Where there should be GPUs to read but none can be read, say so. */
  private _noGpu(usage: Schemas['UsageSnapshot']): IFigure[] {
    const { reason } = usage.gpu_status;
    // Nothing is missing on a machine without GPUs, nor where the operator wants none.
    if (!reason || ['nvml_missing', 'nvml_off', 'nvml_starting'].includes(reason.code)) {
      return [];
    }
    const label = this._trans.__('GPU');
    return [
      {
        key: 'gpu',
        kind: 'gpu',
        label,
        compact: UNKNOWN,
        extra: '',
        share: null,
        level: 'normal',
        summary: this._summary(label, 'normal', null),
        notes: why(reason, this._trans),
        rows: [{ name: label, used: UNKNOWN, limit: UNKNOWN, share: UNKNOWN }]
      }
    ];
  }

  private _gpuLabel(
    gpu: Schemas['GpuUsage'],
    gpus: readonly Schemas['GpuUsage'][]
  ): string {
    if (gpus.length === 1) {
      return this._trans.__('GPU');
    }
    // The slices of one GPU share its number.
    const slices = gpus.filter(({ index }) => index === gpu.index);
    return slices.length === 1
      ? this._trans.__('GPU %1', gpu.index)
      : this._trans.__('GPU %1, slice %2', gpu.index, slices.indexOf(gpu) + 1);
  }

  private _level(
    key: string,
    share: number | null,
    warnPercent: number,
    kills: boolean
  ): Level {
    return levelOf(share, this._levels.get(key) ?? 'normal', warnPercent, kills);
  }

  private _summary(label: string, level: Level, figure: string | null): string {
    if (figure === null) {
      return this._trans.__('%1: not known', label);
    }
    return level === 'normal'
      ? this._trans.__('%1: %2', label, figure)
      : this._trans.__('%1 near its limit: %2', label, figure);
  }

  private _bytesRow(name: string, used: number | null, limit: number | null): IRow {
    return {
      name,
      used: used === null ? UNKNOWN : this._format.size(used, 2),
      limit: limit === null ? UNKNOWN : this._format.limitSize(limit, 2),
      share: this._share(shareOf(used, limit))
    };
  }

  private _share(share: number | null): string {
    return share === null ? UNKNOWN : this._format.percent(share);
  }

  private _levels = new Map<string, Level>();
}

function shareOf(used: number | null, limit: number | null): number | null {
  return used === null || !limit ? null : used / limit;
}
