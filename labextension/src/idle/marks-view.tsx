import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IMark } from './marks';

/** One evaluation on the lane. */
export function Mark({
  mark: { ahead, counter, kind, known, radius, roomy, x },
  y
}: {
  readonly mark: IMark;
  readonly y: number;
}): React.ReactElement {
  const tick = `M${x - 4} ${y}l3 3.500 5 -7`;
  const cross = `M${x - 3.5} ${y - 3.5}l7 7m0 -7l-7 7`;
  return (
    <g
      className="jp-EinfraIdle-mark"
      data-kind={kind}
      data-known={known}
      data-ahead={ahead}
    >
      <circle cx={x} cy={y} r={radius} />
      {kind === 'used' && roomy && <path d={tick} />}
      {kind !== 'used' && counter === null && <path d={cross} />}
      {kind !== 'used' && counter !== null && roomy && (
        <text x={x} y={y} textAnchor="middle" dominantBaseline="central">
          {counter}
        </text>
      )}
      {kind === 'used' && roomy && (
        <text className="jp-mod-below" x={x} y={y + radius + 11} textAnchor="middle">
          {counter}
        </text>
      )}
    </g>
  );
}

/** How the circles read; only of those kinds that are seen. */
export function Legend({
  marks,
  band,
  trans
}: {
  readonly marks: readonly IMark[];
  readonly band: boolean;
  readonly trans: TranslationBundle;
}): React.ReactElement {
  const has = (kind: IMark['kind'], known?: boolean): boolean =>
    marks.some(mark => mark.kind === kind && (known ?? mark.known) === mark.known);
  const example = { x: 10, time: new Date(0), radius: 8, ahead: false, roomy: true };
  const entries: [string, Pick<IMark, 'kind' | 'known' | 'counter'>][] = [];
  if (has('used')) {
    entries.push([
      trans.__('found in use: the count begins anew'),
      { kind: 'used', known: true, counter: null }
    ]);
  }
  if (has('idle', true)) {
    entries.push([
      trans.__('told by the operator'),
      { kind: 'idle', known: true, counter: 1 }
    ]);
  }
  if (has('idle', false)) {
    entries.push([
      trans.__('estimate, if it is not used'),
      { kind: 'idle', known: false, counter: 1 }
    ]);
  }
  return (
    <ul className="jp-EinfraIdle-legend">
      {entries.map(([text, look]) => (
        <li key={text}>
          <svg width="20" height="20" aria-hidden="true">
            <Mark mark={{ ...example, ...look }} y={10} />
          </svg>
          {text}
        </li>
      ))}
      {band && (
        <li>
          <svg width="20" height="20" aria-hidden="true">
            <rect className="jp-EinfraIdle-band" x="1" y="3" width="18" height="14" />
          </svg>
          {trans.__('what the next evaluation looks at')}
        </li>
      )}
    </ul>
  );
}
