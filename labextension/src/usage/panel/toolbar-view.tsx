import type { TranslationBundle } from '@jupyterlab/translation';
import { downloadIcon, launchIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { RANGES, rangeLabel, rangeName, type IRange } from './ranges';

interface IProps {
  /** Tells this panel's switch from another panel's. */
  readonly id: string;

  readonly range: IRange;
  readonly onRange: (range: IRange) => void;
  readonly onExport: () => void;

  /** Opens the panel as a tab; null where it is one. */
  readonly onTab: (() => void) | null;

  readonly trans: TranslationBundle;
}

/** Which time is seen, and what else can be done with it. */
export function ToolbarView(props: IProps): React.ReactElement {
  const { id, range, onRange, onExport, onTab, trans } = props;
  return (
    <div className="jp-EinfraUsagePanel-toolbar">
      <fieldset>
        <legend>{trans.__('Time')}</legend>
        {RANGES.map(candidate => (
          <label key={candidate.key} title={rangeName(candidate, trans)}>
            <input
              type="radio"
              name={`${id}-range`}
              value={candidate.key}
              checked={candidate.key === range.key}
              onChange={() => {
                onRange(candidate);
              }}
            />
            <span>{rangeLabel(candidate, trans)}</span>
          </label>
        ))}
      </fieldset>
      <Button label={trans.__('Export as CSV')} onClick={onExport}>
        <downloadIcon.react tag="span" />
      </Button>
      {onTab && (
        <Button label={trans.__('Open in a Tab')} onClick={onTab}>
          <launchIcon.react tag="span" />
        </Button>
      )}
    </div>
  );
}

function Button({
  label,
  onClick,
  children
}: {
  readonly label: string;
  readonly onClick: () => void;
  readonly children: React.ReactNode;
}): React.ReactElement {
  return (
    <button type="button" aria-label={label} title={label} onClick={onClick}>
      {children}
    </button>
  );
}
