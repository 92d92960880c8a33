/** How near a figure is to its limit. Only what costs the user something is critical. */
export type Level = 'normal' | 'warning' | 'critical';

/** From here on a resource whose limit kills programs is about to do so. */
const CRITICAL_PERCENT = 95;

/** A level is left only this far below its threshold, so that it does not flicker. */
const SLACK_PERCENT = 2;

/**
 * @param share - used part of the limit, null where it is not known
 * @param before - the level so far
 * @param warnPercent - threshold of the warning; 0 switches all levels off
 * @param kills - whether programs are lost at the limit
 */
export function levelOf(
  share: number | null,
  before: Level,
  warnPercent: number,
  kills: boolean
): Level {
  if (share === null || warnPercent === 0) {
    return 'normal';
  }
  const percent = share * 100;
  const reaches = (threshold: number, held: boolean): boolean =>
    percent >= threshold - (held ? SLACK_PERCENT : 0);
  if (kills && reaches(Math.max(CRITICAL_PERCENT, warnPercent), before === 'critical')) {
    return 'critical';
  }
  return reaches(warnPercent, before !== 'normal') ? 'warning' : 'normal';
}
