import * as React from 'react';

import type { ITrace, Look } from './chart';

/** What the lines are, where there is more than one. */
export function Legend({
  traces
}: {
  readonly traces: readonly ITrace[];
}): React.ReactElement | null {
  const shown = traces.filter(({ look, values }) =>
    look === 'limit'
      ? false
      : values.some(value => value !== null && (look !== 'ticks' || value > 0))
  );
  // What is on top of the main area is drawn before it, but named after it.
  shown.sort((a, b) => Number(a.look === 'stacked') - Number(b.look === 'stacked'));
  if (shown.length < 2 && (shown[0]?.look ?? 'main') === 'main') {
    return null;
  }
  return (
    <ul className="jp-EinfraUsagePanel-legend">
      {shown.map(({ label, look, now }) => (
        <li key={label}>
          <Swatch look={look} />
          {label} <span>{now}</span>
        </li>
      ))}
    </ul>
  );
}

/** How a line or a mark looks on the chart. */
export function Swatch({ look }: { readonly look: Look | 'mark' }): React.ReactElement {
  return <i className="jp-EinfraUsagePanel-swatch" data-look={look} aria-hidden="true" />;
}
