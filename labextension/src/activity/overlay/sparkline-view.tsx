import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { components } from '../../api/schema';
import { ticksOf } from '../../api/ticks';
import { tell } from '../facts';
import type { Digest } from './digest';
import { curveOf, HEIGHT, WIDTH } from './sparkline';
import type { DigestWords } from './words';

/** Room in percent that the words at both ends need. */
const EDGE = 14;

/** About as wide as the picture is drawn, in CSS pixels: for how many words there is room. */
const TYPICAL_PX = 760;

/** Words further apart than Lab's shortest are calmer. */
const SPARSE = 2.4;

interface IProps {
  readonly digest: Digest;
  readonly history: components['schemas']['UsageHistory'];
  readonly words: DigestWords;
  readonly trans: TranslationBundle;
  readonly now: Date;
}

/** What was used while the user was away, with what happened marked on it. */
export function SparklineView(props: IProps): React.ReactElement | null {
  const { digest, history, now, trans, words } = props;
  const curve = React.useMemo(() => curveOf(history), [history]);
  if (!curve) {
    return null;
  }
  const [from, to] = [Date.parse(history.since), Date.parse(history.until)];
  const share = (time: number): number => (time - from) / (to - from);
  const marks = digest.sections
    .flatMap(({ facts, name }) => (name === 'continue' ? [] : facts))
    .filter(({ severity, time }) => severity !== 'info' && time !== null)
    .map(fact => ({ fact, at: share(Date.parse(fact.time ?? '')) }))
    .filter(({ at }) => at >= 0 && at <= 1);
  const ticks = ticksOf(from, to, time => (share(time) * TYPICAL_PX) / SPARSE)
    .map(({ time }) => ({ time, at: share(time.getTime()) * 100 }))
    .filter(({ at }) => at > EDGE && at < 100 - EDGE);
  return (
    <div className="jp-EinfraActivity-spark">
      <svg
        role="img"
        aria-label={words.picture(curve, history.since, marks.length)}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
      >
        <path className="jp-EinfraActivity-area" d={curve.area} />
        <path className="jp-EinfraActivity-line" d={curve.line} />
        {marks.map(({ at, fact }) => {
          const { name, text } = tell(fact, trans);
          return (
            <line
              key={fact.id}
              data-severity={fact.severity}
              x1={at * WIDTH}
              x2={at * WIDTH}
              y1={0}
              y2={HEIGHT}
            >
              <title>{name === null ? text : `${name}: ${text}`}</title>
            </line>
          );
        })}
      </svg>
      <div className="jp-EinfraActivity-axis" aria-hidden="true">
        <span>{words.format.time(new Date(from), now)}</span>
        {ticks.map(({ at, time }) => (
          <span key={at} style={{ left: `${at}%` }}>
            {words.when.tick(time)}
          </span>
        ))}
        <span>{trans.__('now')}</span>
      </div>
    </div>
  );
}
