import type { TranslationBundle } from '@jupyterlab/translation';

import { shorten, tidy } from '../api/blanks';
import type { Format } from '../api/format';
import { describe } from '../api/messages';
import type { components } from '../api/schema';
import type { When } from '../api/when';

type Schemas = components['schemas'];
export type Status = Schemas['IdleStatus'];
export type Rule = Schemas['IdleRule'];
export type SourceName = Schemas['IdleSource']['name'];

/** Longest text of an operator. */
const LONGEST_TEXT = 2000;

/** Says what will become of this server; an estimate is always called one. */
export class IdleWords {
  constructor(
    private readonly _trans: TranslationBundle,
    readonly format: Format,
    readonly when: When
  ) {}

  /** For the status bar. */
  brief(status: Status, now: Date): string {
    const trans = this._trans;
    const { is_estimate: estimate } = status;
    const end = endOf(status);
    const time = end && this.format.time(end, now);
    switch (status.level) {
      case 'unknown':
        return trans.__('Kept until: not known');
      case 'unsure':
        return trans.__('Seems to be in use');
      case 'kept':
        if (time === null) {
          return trans.__('Kept for more than a day');
        }
        return estimate
          ? trans.__('Kept at least until %1', time)
          : trans.__('Kept until %1', time);
      case 'day':
      case 'hour':
        if (end === null || time === null) {
          return trans.__('May be deleted soon');
        }
        if (end <= now) {
          return trans.__('May be deleted at any moment');
        }
        if (status.level === 'day') {
          return estimate
            ? trans.__('May be deleted from %1 on', time)
            : trans.__('Deleted unless used: %1', time);
        }
        return estimate
          ? trans.__('May be deleted in %1', this._left(end, now))
          : trans.__('Deleted in %1 unless used', this._left(end, now));
    }
  }

  /** The answer to: will my server be kept? */
  answer(status: Status, now: Date): string {
    const trans = this._trans;
    const { is_estimate: estimate } = status;
    const end = endOf(status);
    const time = end && this.when.day(end, now);
    switch (status.level) {
      case 'unknown':
        return trans.__('It cannot be told from here.');
      case 'unsure':
        return trans.__('Probably: it seems to be used, which cannot be proven from here.');
      case 'kept':
        if (time === null) {
          return trans.__('Yes, for more than a day.');
        }
        return estimate
          ? trans.__('Yes, at least until %1.', time)
          : trans.__('Yes, until %1, and longer if it is used.', time);
      case 'day':
      case 'hour':
        if (end === null || time === null) {
          return trans.__('It may be deleted soon, unless it is used.');
        }
        if (end <= now) {
          return trans.__('It may be deleted at any moment, unless it is used.');
        }
        if (status.level === 'hour') {
          return estimate
            ? trans.__(
                'Unless it is used, it may be deleted in %1 (estimate).',
                this._left(end, now)
              )
            : trans.__('Only if it is used within %1.', this._left(end, now));
        }
        return estimate
          ? trans.__(
              'Unless it is used, it may be deleted as early as %1 (estimate).',
              time
            )
          : trans.__('Only if it is used before %1.', time);
    }
  }

  /** What follows from the answer. */
  advice(status: Status, now: Date): string[] {
    const trans = this._trans;
    const end = endOf(status);
    const advice = [];
    if (status.level === 'unknown' && status.reason) {
      advice.push(this.reason(status.reason));
    }
    if (status.level === 'unsure') {
      advice.push(trans.__('If it computes, there is nothing to do.'));
      if (end) {
        advice.push(
          trans.__(
            'If it does not, it may be deleted as early as %1 (estimate).',
            this.when.day(end, now)
          )
        );
      }
    }
    if (status.level === 'day' || status.level === 'hour') {
      advice.push(
        trans.__(
          'Save your work. A server that computes is kept; one that you do not need any more is best stopped, so that others can use what it holds.'
        )
      );
    }
    if (status.source === 'estimate') {
      advice.push(
        trans.__(
          'This is an estimate from the use that was seen here: the operator’s controller decides.'
        )
      );
    } else if (status.source !== null) {
      advice.push(
        status.is_estimate
          ? trans.__(
              'The count is the operator’s own word; when it may be deleted was worked out here from it.'
            )
          : trans.__('This is the operator’s own word.')
      );
    }
    return advice;
  }

  /** "at most 2 of 5"; null where it is not known. */
  counter(status: Status): string | null {
    const { counter, counter_limit: limit } = status;
    if (counter === null || limit === null) {
      return null;
    }
    return isOwnCount(status)
      ? this._trans.__('At most %1 of %2 (estimate)', counter, limit)
      : this._trans.__('%1 of %2', counter, limit);
  }

  /** Whose word it is. */
  source(name: SourceName): string {
    switch (name) {
      case 'file':
        return this._trans.__('What the operator’s controller wrote into this server');
      case 'controller':
        return this._trans.__('The answer of the operator’s controller');
      case 'estimate':
        return this._trans.__('An estimate made here from the use that was seen');
    }
  }

  /** "0.1 cores" or "0.5 %": a figure of the rule's metric with its unit. */
  figure({ metric }: Pick<Rule, 'metric'>, value: number): string {
    return metric === 'cpu_cores'
      ? this._trans.__('%1 cores', this.format.small(value))
      : `${this.format.small(value * 100)} %`;
  }

  /** "0.004 of 0.1 cores needed". */
  ofNeeded(rule: Rule, value: number): string {
    return this._trans.__(
      '%1 of %2 needed',
      rule.metric === 'cpu_cores' ? this.format.small(value) : this.figure(rule, value),
      this.figure(rule, rule.threshold)
    );
  }

  /** What counts as use. */
  use(rule: Rule): string {
    const trans = this._trans;
    const figure = this.figure(rule, rule.threshold);
    const length = this.format.duration(rule.averaging_seconds);
    const once = trans.__('Once before an evaluation is enough.');
    if (rule.metric === 'cpu_cores') {
      return rule.idle_at_threshold
        ? `${trans.__('More than %1 in use, as a mean of %2.', figure, length)} ${once}`
        : `${trans.__('%1 or more in use, as a mean of %2.', figure, length)} ${once}`;
    }
    return rule.idle_at_threshold
      ? `${trans.__('A GPU busy for more than %1 of the time, as a mean of %2.', figure, length)} ${once}`
      : `${trans.__('A GPU busy for %1 of the time or more, as a mean of %2.', figure, length)} ${once}`;
  }

  reason(reason: Schemas['Reason']): string {
    return describe(reason, this._trans);
  }

  /** An operator's own words, on one line and not without end. */
  quoted(text: string): string {
    return shorten(tidy(text), LONGEST_TEXT);
  }

  private _left(end: Date, now: Date): string {
    const seconds = (end.getTime() - now.getTime()) / 1000;
    // Rounded up, so that it is never "0 min".
    return this.format.duration(Math.max(60, Math.ceil(seconds / 60) * 60));
  }
}

/** Whether nobody but this server itself has counted. */
export function isOwnCount({ source }: Pick<Status, 'source'>): boolean {
  return source === null || source === 'estimate';
}

function endOf({ delete_at: end }: Status): Date | null {
  return end === null ? null : new Date(end);
}
