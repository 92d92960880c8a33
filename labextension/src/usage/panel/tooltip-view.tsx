import * as React from 'react';

import { Swatch } from './legend-view';
import type { ITelling } from './tellings';

interface IProps {
  /** Where the point lies, in CSS pixels from the left. */
  readonly left: number;

  readonly time: string;
  readonly told: readonly ITelling[];
}

/** What is known of a point, beside it and never beyond the chart's edges. */
export function Tooltip({ left, time, told }: IProps): React.ReactElement {
  const node = React.useRef<HTMLDivElement>(null);
  React.useLayoutEffect(() => {
    const element = node.current;
    const room = element?.parentElement?.clientWidth ?? 0;
    if (element) {
      const before = left - element.offsetWidth - 8;
      const after = Math.min(left + 8, room - element.offsetWidth);
      element.style.left = `${Math.max(before >= 0 && left > room / 2 ? before : after, 0)}px`;
    }
  });
  return (
    <div ref={node} className="jp-EinfraUsagePanel-tooltip" aria-hidden="true">
      <strong>{time}</strong>
      {told.map(({ label, look, text }, index) => (
        <div key={index}>
          {look !== null && <Swatch look={look} />}
          {label} <span>{text}</span>
        </div>
      ))}
    </div>
  );
}
