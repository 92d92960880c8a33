import type { TranslationBundle } from '@jupyterlab/translation';

import { formatOf } from '../../api/blanks';
import { daysFrom, type Format } from '../../api/format';
import type { components } from '../../api/schema';
import { When } from '../../api/when';
import type { Fact } from '../facts';
import type { IActivitySettings } from '../settings';
import type { Digest } from './digest';
import type { ICurve } from './sparkline';

type Schemas = components['schemas'];

/** Figures of less than this part of the time are said to be of a part. */
const ALL = 0.95;

/** Says what the overlay says, but for the facts. */
export class DigestWords {
  constructor(
    private readonly _trans: TranslationBundle,
    private readonly _language: string
  ) {
    this.format = formatOf(_trans);
    this.when = new When(_language);
  }

  readonly format: Format;
  readonly when: When;

  /** "You were last here on Tuesday at 17:42, ...; this server has been running for 19 days." */
  introduction(digest: Digest, wasAway: boolean, now: Date): string {
    const trans = this._trans;
    const since = new Date(digest.since);
    const [day, hour] = [this._day(since, now), this._hour(since)];
    const ago = this.format.length(secondsTo(since, now), 'long');
    const started = new Date(digest.started_at);
    const isNear = Math.abs(daysFrom(now, since)) <= 1;
    return [
      wasAway
        ? isNear
          ? trans.__('You were last here %1 at %2, %3 ago.', day, hour, ago)
          : trans.__('You were last here on %1 at %2, %3 ago.', day, hour, ago)
        : trans.__('What has happened since %1.', this.when.day(since, now)),
      trans.__(
        'This server has been running for %1.',
        this.format.duration(secondsTo(started, now))
      )
    ].join(' ');
  }

  /** Where nothing is to be told. */
  nothing({ since }: Digest, now: Date): string {
    return this._trans.__(
      'Nothing has happened since %1.',
      this.when.day(new Date(since), now)
    );
  }

  section(name: Schemas['DigestSection']['name']): string {
    const trans = this._trans;
    switch (name) {
      case 'attention':
        return trans.__('Needs your attention');
      case 'finished':
        return trans.__('Finished while you were away');
      case 'running':
        return trans.__('Still running');
      case 'files':
        return trans.__('Files');
      case 'continue':
        return trans.__('Where you worked last');
    }
  }

  /** What the mark of a fact means, for those who do not see it. */
  severity(severity: Fact['severity']): string {
    const trans = this._trans;
    switch (severity) {
      case 'error':
        return trans.__('Failed or lost:');
      case 'warning':
        return trans.__('Warning:');
      case 'done':
        return trans.__('Done:');
      case 'running':
        return trans.__('Running:');
      case 'info':
        return trans.__('Note:');
    }
  }

  /** "26.3 CPU-hours, 9.1 GPU-hours, most memory 16.0 of 16 GiB. Home: ..." */
  use(use: Schemas['DigestUse'], digest: Digest): string[] {
    const trans = this._trans;
    const { format } = this;
    const figures = [
      use.cpu_core_hours !== null &&
        trans.__('%1 CPU-hours', format.number(use.cpu_core_hours, 1)),
      use.gpu_hours !== null && trans.__('%1 GPU-hours', format.number(use.gpu_hours, 1)),
      use.memory_peak_bytes !== null &&
        trans.__(
          'most memory %1',
          format.bytes(use.memory_peak_bytes, use.memory_limit_bytes)
        ),
      use.gpu_memory_peak_bytes !== null &&
        trans.__(
          'most GPU memory %1',
          format.bytes(use.gpu_memory_peak_bytes, use.gpu_memory_total_bytes)
        )
    ].filter(figure => figure !== false);
    const seconds = (Date.parse(digest.until) - Date.parse(digest.since)) / 1000;
    const share = seconds > 0 ? use.known_seconds / seconds : 1;
    const told = [
      figures.length > 0 && `${figures.join(', ')}.`,
      figures.length > 0 &&
        use.scope === 'machine' &&
        trans.__('Figures of the whole machine.'),
      use.home_used_bytes !== null &&
        trans.__('Home: %1 used.', format.bytes(use.home_used_bytes, use.home_limit_bytes)),
      figures.length > 0 &&
        share < ALL &&
        trans.__('The figures cover %1 of this time.', format.percent(share))
    ];
    return told.filter(sentence => sentence !== false);
  }

  /** The picture, for those who do not see it. */
  picture(curve: ICurve, since: string, marks: number): string {
    const trans = this._trans;
    const time = this.when.moment(new Date(since));
    const { format } = this;
    const told =
      curve.kind === 'gpu'
        ? trans.__(
            'Use of the GPU since %1: mean %2, at most %3.',
            time,
            format.percent(curve.mean),
            format.percent(curve.maximum)
          )
        : trans.__(
            'Use of the CPU since %1: mean %2, at most %3.',
            time,
            format.cores(curve.mean, null),
            format.cores(curve.maximum, curve.limit)
          );
    return marks > 0
      ? `${told} ${trans._n('%1 event is marked.', '%1 events are marked.', marks)}`
      : told;
  }

  /** What the switch does. */
  showing({ attention, awayHours }: IActivitySettings): string {
    const trans = this._trans;
    const length = this.format.length(awayHours * 3600, 'long');
    return attention
      ? trans.__('Show this after %1 away or when something needs attention', length)
      : trans.__('Show this after %1 away', length);
  }

  /** "Tuesday", "yesterday" or "November 3". */
  private _day(when: Date, now: Date): string {
    const days = daysFrom(now, when);
    if (Math.abs(days) <= 1) {
      return new Intl.RelativeTimeFormat(this._language, { numeric: 'auto' }).format(
        days,
        'day'
      );
    }
    return new Intl.DateTimeFormat(
      this._language,
      Math.abs(days) < 7 ? { weekday: 'long' } : { day: 'numeric', month: 'long' }
    ).format(when);
  }

  private _hour(when: Date): string {
    return new Intl.DateTimeFormat(this._language, {
      hour: 'numeric',
      minute: '2-digit'
    }).format(when);
  }
}

function secondsTo(from: Date, to: Date): number {
  return Math.max(0, (to.getTime() - from.getTime()) / 1000);
}
