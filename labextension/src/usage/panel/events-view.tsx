import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Format } from '../../api/format';
import type { History } from './history';

interface IProps {
  readonly history: History;
  readonly format: Format;
  readonly trans: TranslationBundle;
}

/** The marks of the charts in words. */
export function EventsView({ history, format, trans }: IProps): React.ReactElement | null {
  const { marks, timeline } = history;
  const seen = marks.filter(({ time }) => time >= timeline.since).reverse();
  if (seen.length === 0) {
    return null;
  }
  const now = new Date();
  return (
    <details className="jp-EinfraUsagePanel-events">
      <summary>
        {trans._n('%1 event in this time', '%1 events in this time', seen.length)}
      </summary>
      <ol>
        {seen.map(({ time, text, kind }, index) => (
          <li key={index} data-kind={kind}>
            <time dateTime={new Date(time * 1000).toISOString()}>
              {format.time(new Date(time * 1000), now)}
            </time>{' '}
            {text}
          </li>
        ))}
      </ol>
    </details>
  );
}
