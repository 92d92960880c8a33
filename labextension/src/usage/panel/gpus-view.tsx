import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { describe } from '../../api/messages';
import type { components } from '../../api/schema';

type Schemas = components['schemas'];

interface IProps {
  readonly gpus: readonly Schemas['GpuDetails'][];

  /** What the charts call them, by uuid. */
  readonly labels: ReadonlyMap<string, string>;

  readonly trans: TranslationBundle;
}

/** Which figures of which GPU can be told here, and why not the rest. */
export function GpusView({ gpus, labels, trans }: IProps): React.ReactElement | null {
  if (gpus.length === 0) {
    return null;
  }
  return (
    <details className="jp-EinfraUsagePanel-gpus">
      <summary>{trans.__('What can be told of the GPUs here')}</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('GPU')}</th>
            <th scope="col">{trans.__('Figure')}</th>
            <th scope="col">{trans.__('Read from')}</th>
          </tr>
        </thead>
        <tbody>
          {gpus.flatMap(({ uuid, figures }) =>
            figures.map(({ figure, source, reason }, index) => (
              <tr key={uuid + figure}>
                {index === 0 && (
                  <th scope="rowgroup" rowSpan={figures.length} title={uuid}>
                    {labels.get(uuid) ?? uuid}
                  </th>
                )}
                <td>{figureName(figure, trans)}</td>
                <td>
                  {source === null ? '–' : source.toUpperCase()}
                  {reason && <p>{describe(reason, trans)}</p>}
                </td>
              </tr>
            ))
          )}
        </tbody>
      </table>
    </details>
  );
}

function figureName(
  figure: Schemas['GpuFigure']['figure'],
  trans: TranslationBundle
): string {
  switch (figure) {
    case 'utilization':
      return trans.__('utilization');
    case 'memory':
      return trans.__('memory');
    case 'processes':
      return trans.__('memory of each kernel');
  }
}
