import type { TranslationBundle } from '@jupyterlab/translation';

import type { components } from '../../api/schema';
import type { IFigure } from '../figures';
import type { Format } from '../../api/format';
import { why } from '../words';
import type { IChart } from './chart';
import { Columns } from './columns';
import { DeviceCharts, type Gpu } from './device-charts';
import { rangeName, type IRange } from './ranges';
import type { Timeline } from './timeline';
import { greatest } from './values';
import {
  HEADROOM,
  hintOf,
  limitTrace,
  niceAbove,
  summarize,
  teller,
  trace
} from './traces';

type Schemas = components['schemas'];

/** Below this share of its limit, CPU use is drawn on a scale of its own. */
const FAR_FROM_LIMIT = 0.1;

/** Throttling that nobody would feel goes without saying. */
const LEAST_THROTTLED = 0.005;

/** Turns figures over time into charts. */
export class Charts {
  constructor(
    private readonly _trans: TranslationBundle,
    private readonly _format: Format
  ) {
    this._devices = new DeviceCharts(_trans, _format);
  }

  /**
   * All charts, in the order of the panel.
   *
   * @param sample - the figures now
   * @param figures - the same in words, as the status bar has them
   * @param timeline - the figures over time
   * @param former - GPUs that the history knows
   * @param range - the time that is seen
   */
  of(
    sample: Schemas['UsageSnapshot'],
    figures: readonly IFigure[],
    timeline: Timeline,
    former: readonly Gpu[],
    range: IRange
  ): IChart[] {
    const here = new Set(sample.gpus.map(({ uuid }) => uuid));
    const figure = (key: string): IFigure | undefined =>
      figures.find(candidate => candidate.key === key);
    const charts = [
      this._cpu(sample.cpu, timeline, figure('cpu'), range),
      this._memory(sample.memory, timeline, figure('memory')),
      ...sample.gpus.map(gpu => this._devices.gpu(gpu, timeline, figure(gpu.uuid))),
      ...former
        .filter(({ uuid }) => !here.has(uuid))
        .map(gpu => this._devices.formerGpu(gpu, timeline)),
      this._devices.disk(sample.disks, timeline),
      this._network(sample.network, timeline)
    ];
    return charts.filter(chart => chart !== null);
  }

  private _cpu(
    cpu: Schemas['CpuUsage'],
    timeline: Timeline,
    figure: IFigure | undefined,
    range: IRange
  ): IChart {
    const { used_cores: used, limit_cores: limit } = cpu;
    const cores = (value: number): string => this._format.cores(value, null, 2);
    const peak = greatest(timeline.column(Columns.cpuUsed).maximum);
    const most = greatest(timeline.column(Columns.cpuLimit).mean);
    const near = most > 0 && peak >= FAR_FROM_LIMIT * most;
    const top = near ? Math.max(most, peak) * HEADROOM : niceAbove(peak, 0.1);
    const mark = near ? most : top;
    const inUse = this._trans.__('in use');
    return {
      key: 'cpu',
      title: this._trans.__('CPU'),
      value: used === null ? this._trans.__('not known') : this._format.cores(used, limit),
      notes: [
        ...why(cpu.reason, this._trans),
        ...this._throttled(timeline.summary(Columns.cpuThrottled)?.mean ?? 0, limit, range)
      ],
      hint: hintOf(figure),
      level: figure?.level ?? 'normal',
      top,
      mark: { value: mark, text: this._format.coresLimit(mark) },
      traces: [
        trace(inUse, 'main', timeline, Columns.cpuUsed, cores),
        limitTrace(timeline.column(Columns.cpuLimit).mean, this._trans, cores),
        trace(
          this._trans.__('throttled'),
          'ticks',
          timeline,
          Columns.cpuThrottled,
          share => (share > 0 ? this._format.percent(share) : '')
        )
      ],
      summary: summarize(timeline, [[inUse, Columns.cpuUsed, cores]], this._trans)
    };
  }

  private _throttled(share: number, limit: number | null, range: IRange): string[] {
    if (share < LEAST_THROTTLED || limit === null) {
      return [];
    }
    return [
      this._trans._n(
        'Throttled %2 of the time in %4: this server’s limit is %3 core.',
        'Throttled %2 of the time in %4: this server’s limit is %3 cores.',
        limit,
        this._format.percent(share),
        this._format.coresLimit(limit),
        rangeName(range, this._trans)
      )
    ];
  }

  private _memory(
    memory: Schemas['MemoryUsage'],
    timeline: Timeline,
    figure: IFigure | undefined
  ): IChart {
    const { working_set_bytes: used, limit_bytes: limit } = memory;
    const size = (value: number): string => this._format.size(value, 2);
    // Not every source can tell programs' memory from the rest.
    const [base, label] = timeline.knows(Columns.memoryAnonShmem)
      ? [Columns.memoryAnonShmem, this._trans.__('programs')]
      : [Columns.memoryWorkingSet, this._trans.__('in use')];
    const programs = timeline.column(base);
    const cache = timeline.column(Columns.memoryCache).mean;
    const stack = programs.mean.map((value, point) => {
      const more = cache[point] ?? null;
      return value === null || more === null ? null : value + more;
    });
    const peak = Math.max(greatest(programs.maximum), greatest(stack));
    const most = greatest(timeline.column(Columns.memoryLimit).mean);
    const top = most > 0 ? Math.max(most, peak) * HEADROOM : niceAbove(peak, 2 ** 20, 2);
    const mark = most > 0 ? most : top;
    return {
      key: 'memory',
      title: this._trans.__('Memory'),
      value: used === null ? this._trans.__('not known') : this._format.bytes(used, limit),
      notes: why(memory.reason, this._trans),
      hint: hintOf(figure),
      level: figure?.level ?? 'normal',
      top,
      mark: { value: mark, text: this._format.limitSize(mark) },
      traces: [
        {
          label: this._trans.__('cache'),
          now:
            memory.cache_bytes === null
              ? ''
              : this._trans.__('%1, can be freed', this._format.size(memory.cache_bytes)),
          look: 'stacked',
          values: stack,
          range: null,
          tell: teller(cache, size)
        },
        trace(label, 'main', timeline, base, size, this._programs(memory)),
        limitTrace(timeline.column(Columns.memoryLimit).mean, this._trans, size)
      ],
      summary: summarize(timeline, [[label, base, size]], this._trans)
    };
  }

  private _programs({ anon_bytes, shmem_bytes }: Schemas['MemoryUsage']): string | null {
    return anon_bytes === null || shmem_bytes === null
      ? null
      : this._format.size(anon_bytes + shmem_bytes);
  }

  private _network(network: Schemas['NetworkUsage'], timeline: Timeline): IChart {
    const { received_bytes_per_second: received, sent_bytes_per_second: sent } = network;
    const rate = (value: number): string =>
      this._trans.__('%1/s', this._format.size(value));
    const peak = Math.max(
      greatest(timeline.column(Columns.received).maximum),
      greatest(timeline.column(Columns.sent).maximum)
    );
    const top = niceAbove(peak, 1024, 2);
    const labels = [this._trans.__('received'), this._trans.__('sent')] as const;
    const covers =
      network.scope === 'machine'
        ? this._trans.__('Traffic of the whole machine, neighbours included.')
        : this._trans.__('Traffic of this container.');
    return {
      key: 'network',
      title: this._trans.__('Network'),
      value:
        received === null || sent === null
          ? this._trans.__('not known')
          : rate(received + sent),
      notes: network.reason
        ? why(network.reason, this._trans)
        : network.scope === 'machine'
          ? [covers]
          : [],
      hint: covers,
      level: 'normal',
      top,
      mark: { value: top, text: this._trans.__('%1/s', this._format.limitSize(top)) },
      traces: [
        trace(labels[0], 'main', timeline, Columns.received, rate, maybe(received, rate)),
        trace(labels[1], 'second', timeline, Columns.sent, rate, maybe(sent, rate))
      ],
      summary: summarize(
        timeline,
        [
          [labels[0], Columns.received, rate],
          [labels[1], Columns.sent, rate]
        ],
        this._trans
      )
    };
  }

  private readonly _devices: DeviceCharts;
}

function maybe(value: number | null, write: (value: number) => string): string | null {
  return value === null ? null : write(value);
}
