import type { TranslationBundle } from '@jupyterlab/translation';

import type { components } from '../../api/schema';
import type { IFigure } from '../figures';
import type { Format } from '../../api/format';
import { why } from '../words';
import type { IChart } from './chart';
import { Columns, gpuColumns } from './columns';
import type { Timeline } from './timeline';
import { HEADROOM, hintOf, limitTrace, shares, summarize, teller, trace } from './traces';

type Schemas = components['schemas'];
type Drawn = Pick<IChart, 'key' | 'top' | 'mark' | 'traces' | 'summary'>;

/** A GPU or slice that there is, or was. */
export type Gpu = Pick<
  Schemas['GpuUsage'],
  'uuid' | 'index' | 'name' | 'scope' | 'memory_total_bytes'
>;

const DISK = {
  home: { used: Columns.homeUsed, limit: Columns.homeLimit },
  tmp: { used: Columns.tmpUsed, limit: Columns.tmpLimit }
} as const;

/** Charts of what is used in shares: GPUs and disks. */
export class DeviceCharts {
  constructor(
    private readonly _trans: TranslationBundle,
    private readonly _format: Format
  ) {}

  /** A GPU or slice that there is. */
  gpu(gpu: Schemas['GpuUsage'], timeline: Timeline, figure: IFigure | undefined): IChart {
    const { utilization, memory_used_bytes: used, memory_total_bytes: total } = gpu;
    const said = [
      utilization === null ? null : this._format.percent(utilization),
      used === null ? null : this._format.bytes(used, total)
    ].filter(text => text !== null);
    return {
      ...this._gpuDrawn(gpu, timeline),
      title: figure?.label ?? gpu.name,
      value: said.join(' · ') || this._trans.__('not known'),
      notes: [`${gpu.name}: ${this._covers(gpu)}`, ...why(gpu.reason, this._trans)],
      hint: hintOf(figure),
      level: figure?.level ?? 'normal'
    };
  }

  /** A GPU of which only the history knows; null where it does not either. */
  formerGpu(gpu: Gpu, timeline: Timeline): IChart | null {
    const { utilization, memory } = gpuColumns(gpu.uuid);
    if (!timeline.knows(utilization) && !timeline.knows(memory)) {
      return null;
    }
    return {
      ...this._gpuDrawn(gpu, timeline),
      title: gpu.name,
      value: this._trans.__('no longer here'),
      notes: [],
      hint: this._covers(gpu),
      level: 'normal'
    };
  }

  /** The places where files are kept; null where nothing can be said of any. */
  disk(disks: readonly Schemas['DiskUsage'][], timeline: Timeline): IChart | null {
    const known = disks.filter(
      ({ name, used_bytes, reason }) =>
        used_bytes !== null || reason || timeline.knows(DISK[name].used)
    );
    if (known.length === 0) {
      return null;
    }
    const both = isOnePlace(known);
    const places = both ? known.slice(0, 1) : known;
    const place = ({ name }: Schemas['DiskUsage']): string =>
      both ? this._trans.__('home and temporary files') : this._place(name);
    const text = ({
      used_bytes: used,
      limit_bytes: limit
    }: Schemas['DiskUsage']): string =>
      used === null ? this._trans.__('not known') : this._format.bytes(used, limit);
    const size = (value: number): string => this._format.size(value, 2);
    return {
      ...this._shares(
        'disk',
        places.map((disk, index) => {
          const { name } = disk;
          const used = timeline.column(DISK[name].used).mean;
          const limit = timeline.column(DISK[name].limit).mean;
          return {
            label: place(disk),
            now: text(disk),
            look: index === 0 ? 'main' : 'second',
            values: used.map((value, point) => {
              const most = limit[point] ?? null;
              return value === null || !most ? null : value / most;
            }),
            range: null,
            tell: point => {
              const value = used[point] ?? null;
              return value === null
                ? ''
                : this._format.bytes(value, limit[point] ?? null, 2);
            }
          };
        }),
        timeline
      ),
      title: this._trans.__('Disk'),
      value: places.length > 1 ? this._fullness(places) : places.map(text).join(''),
      notes: [...new Set(known.flatMap(({ reason }) => why(reason, this._trans)))],
      hint: known.map(disk => `${disk.path}: ${this._extent(disk)}`).join('\n'),
      level: 'normal',
      summary: summarize(
        timeline,
        places.map(disk => [place(disk), DISK[disk.name].used, size] as const),
        this._trans
      )
    };
  }

  /** How full the fullest of the places is. */
  private _fullness(places: readonly Schemas['DiskUsage'][]): string {
    const shares = places.flatMap(({ used_bytes: used, limit_bytes: limit }) =>
      used === null || !limit ? [] : [used / limit]
    );
    return shares.length === 0
      ? this._trans.__('not known')
      : this._trans.__('%1 full', this._format.percent(Math.max(...shares)));
  }

  /** Both figures of a GPU as shares of what there is. */
  private _gpuDrawn(gpu: Gpu, timeline: Timeline): Drawn {
    const columns = gpuColumns(gpu.uuid);
    const memory = timeline.column(columns.memory);
    const size = (value: number): string => this._format.size(value, 2);
    const percent = (value: number): string => this._format.percent(value);
    const labels = {
      utilization: this._trans.__('utilization'),
      memory: this._trans.__('memory')
    };
    return {
      ...this._shares(
        gpu.uuid,
        [
          trace(labels.utilization, 'main', timeline, columns.utilization, percent),
          {
            label: labels.memory,
            now: '',
            look: 'second',
            values: shares(memory.mean, gpu.memory_total_bytes),
            range: null,
            tell: teller(memory.mean, size, memory)
          }
        ],
        timeline
      ),
      summary: summarize(
        timeline,
        [
          [labels.utilization, columns.utilization, percent],
          [labels.memory, columns.memory, size]
        ],
        this._trans
      )
    };
  }

  private _shares(
    key: string,
    traces: IChart['traces'],
    timeline: Timeline
  ): Pick<IChart, 'key' | 'top' | 'mark' | 'traces'> {
    const all = timeline.times.map(() => 1);
    return {
      key,
      top: HEADROOM,
      mark: { value: 1, text: this._format.percent(1) },
      traces: [...traces, limitTrace(all, this._trans)]
    };
  }

  private _place(name: Schemas['DiskUsage']['name']): string {
    return name === 'home' ? this._trans.__('home') : this._trans.__('temporary files');
  }

  private _extent({ scope }: Schemas['DiskUsage']): string {
    return scope === 'quota'
      ? this._trans.__('a quota of your own')
      : this._trans.__('the whole file system, neighbours included');
  }

  private _covers({ scope }: Gpu): string {
    switch (scope) {
      case 'gpu':
        return this._trans.__('the whole GPU');
      case 'shared-gpu':
        return this._trans.__('the whole GPU, shared: neighbours are counted too');
      case 'mig':
        return this._trans.__('one MIG slice');
    }
  }
}

/** Whether two places have one figure: then they are on one file system. */
function isOnePlace(disks: readonly Schemas['DiskUsage'][]): boolean {
  const [first, second] = disks;
  return (
    disks.length === 2 &&
    first?.used_bytes !== null &&
    first?.used_bytes === second?.used_bytes &&
    first?.limit_bytes === second?.limit_bytes &&
    first?.scope === second?.scope
  );
}
