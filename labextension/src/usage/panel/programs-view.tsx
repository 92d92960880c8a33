import type { TranslationBundle } from '@jupyterlab/translation';
import { ellipsesIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { describe } from '../../api/messages';
import type { components } from '../../api/schema';
import { openMenu } from './act-menu';
import type { Acts } from './acts';
import { focusFirst, panelOf } from './focus';
import type { IProgramRow, Rows } from './rows';

type Schemas = components['schemas'];

interface IProps {
  readonly details: Schemas['UsageDetails'] | null;

  /** Why there are no details; null while they may come. */
  readonly trouble: string | null;

  readonly hasGpus: boolean;

  /** Whether there is room for threads too. */
  readonly wide: boolean;

  /** Tells this panel's table from another panel's. */
  readonly id: string;

  readonly rows: Rows;
  readonly acts: Acts;
  readonly trans: TranslationBundle;
}

/** Kernels, terminals and applications: what each one uses, and what can be done about it. */
export const ProgramsView = React.memo(function ProgramsView(
  props: IProps
): React.ReactElement {
  const { details, id, trouble, rows, trans } = props;
  const found = details && rows.of(details.programs, new Date(details.time));
  const noKernel = found?.every(({ program }) => program.kind !== 'kernel') ?? false;
  return (
    <section className="jp-EinfraUsagePanel-programs">
      <h3 id={`${id}-programs`}>{trans.__('Kernels, terminals and applications')}</h3>
      {!found && <p>{trouble ?? trans.__('Waiting for the list of programs…')}</p>}
      {noKernel && (
        <p>
          {trans.__('No kernel is running.')}{' '}
          {trans.__('Run a notebook, and what it uses is listed here.')}
        </p>
      )}
      {details?.programs_reason && <p>{describe(details.programs_reason, trans)}</p>}
      {found && found.length > 0 && <Table found={found} {...props} />}
    </section>
  );
});

function Table({
  found,
  id,
  hasGpus,
  wide,
  acts,
  trans
}: IProps & { readonly found: readonly IProgramRow[] }): React.ReactElement {
  return (
    // Where it is narrow, the style makes two lines of each row; the roles stay.
    <table role="table" aria-labelledby={`${id}-programs`}>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader">{trans.__('Name')}</th>
          <th role="columnheader" {...told(trans.__('Cores in use'))}>
            {trans.__('CPU')}
          </th>
          <th role="columnheader">{trans.__('Memory')}</th>
          {hasGpus && <th role="columnheader">{trans.__('GPU memory')}</th>}
          {wide && (
            <th role="columnheader" className="jp-EinfraUsagePanel-threads">
              {trans.__('Threads')}
            </th>
          )}
          <th role="columnheader">{trans.__('State')}</th>
          <td role="cell" />
        </tr>
      </thead>
      <tbody role="rowgroup">
        {found.map(row => (
          <Row key={row.key} {...{ row, hasGpus, wide, acts, trans }} />
        ))}
      </tbody>
    </table>
  );
}

function Row({
  row,
  hasGpus,
  wide,
  acts,
  trans
}: Pick<IProps, 'hasGpus' | 'wide' | 'acts' | 'trans'> & {
  readonly row: IProgramRow;
}): React.ReactElement {
  const { program } = row;
  const possible = acts.of(program);
  const opens =
    program.path !== null || program.kind === 'terminal' || program.kind === 'app';
  const node = React.useRef<HTMLTableRowElement>(null);
  React.useLayoutEffect(() => {
    const element = node.current;
    const panel = element && panelOf(element);
    return () => {
      if (element?.contains(document.activeElement)) {
        focusFirst(panel);
      }
    };
  }, []);
  return (
    <tr ref={node} role="row" data-kind={program.kind} data-state={program.state}>
      <th role="rowheader" {...told(row.nameHint, row.name)}>
        {opens ? (
          <button type="button" onClick={() => void acts.open(program)}>
            {row.name}
          </button>
        ) : (
          row.name
        )}
      </th>
      <td role="cell" {...told(row.hint)} data-label={trans.__('CPU')}>
        {row.cpu}
      </td>
      <td role="cell" {...told(row.hint)}>
        {row.memory}
      </td>
      {hasGpus && (
        <td role="cell" {...told(row.gpuHint)} data-label={trans.__('GPU')}>
          {row.gpu}
        </td>
      )}
      {wide && (
        <td role="cell" className="jp-EinfraUsagePanel-threads">
          {row.threads}
        </td>
      )}
      <td role="cell" {...told(row.stateHint)}>
        {row.state}
      </td>
      <td role="cell">
        {possible.length > 0 && (
          <button
            type="button"
            className="jp-EinfraUsagePanel-acts"
            aria-haspopup="menu"
            aria-label={trans.__('What to do with %1', row.name)}
            title={trans.__('What to do with %1', row.name)}
            onClick={event => {
              openMenu(event.currentTarget, possible);
            }}
          >
            <ellipsesIcon.react tag="span" />
          </button>
        )}
      </td>
    </tr>
  );
}

/** A hint for those who point at a cell, and for those who hear it. */
function told(hint: string, name = ''): { title?: string; 'aria-description'?: string } {
  const title = [name, hint].filter(Boolean).join('\n');
  return {
    ...(title && { title }),
    ...(hint && { 'aria-description': hint.replaceAll('\n', ', ') })
  };
}
