import type { TranslationBundle } from '@jupyterlab/translation';
import { ellipsesIcon } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';
import * as React from 'react';

import { describe } from '../../api/messages';
import type { components } from '../../api/schema';
import type { Acts, IAct } from './acts';
import type { IProgramRow, Rows } from './rows';

type Schemas = components['schemas'];

interface IProps {
  readonly details: Schemas['UsageDetails'] | null;

  /** Why there are no details; null while they may come. */
  readonly trouble: string | null;

  readonly hasGpus: boolean;
  readonly rows: Rows;
  readonly acts: Acts;
  readonly trans: TranslationBundle;
}

/** Kernels and terminals: what each one uses, and what can be done about it. */
export const ProgramsView = React.memo(function ProgramsView(
  props: IProps
): React.ReactElement {
  const { details, trouble, rows, trans } = props;
  const found = details && rows.of(details.programs, new Date(details.time));
  const noKernel = found?.every(({ program }) => program.kind !== 'kernel') ?? false;
  return (
    <section className="jp-EinfraUsagePanel-programs">
      <h3>{trans.__('Kernels and terminals')}</h3>
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
  hasGpus,
  acts,
  trans
}: IProps & { readonly found: readonly IProgramRow[] }): React.ReactElement {
  return (
    // Where it is narrow, the style makes two lines of each row; the roles stay.
    <table role="table">
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader">{trans.__('Name')}</th>
          <th role="columnheader" title={trans.__('Cores in use')}>
            {trans.__('CPU')}
          </th>
          <th role="columnheader">{trans.__('Memory')}</th>
          {hasGpus && <th role="columnheader">{trans.__('GPU memory')}</th>}
          <th role="columnheader">{trans.__('State')}</th>
          <td role="cell" />
        </tr>
      </thead>
      <tbody role="rowgroup">
        {found.map(row => (
          <Row key={row.key} row={row} {...{ hasGpus, acts, trans }} />
        ))}
      </tbody>
    </table>
  );
}

function Row({
  row,
  hasGpus,
  acts,
  trans
}: {
  readonly row: IProgramRow;
  readonly hasGpus: boolean;
  readonly acts: Acts;
  readonly trans: TranslationBundle;
}): React.ReactElement {
  const { program } = row;
  const possible = acts.of(program);
  const opens = program.path !== null || program.kind === 'terminal';
  return (
    <tr role="row" data-kind={program.kind} data-state={program.state}>
      <th role="rowheader" title={[row.name, row.nameHint].join('\n')}>
        {opens ? (
          <button type="button" onClick={() => void acts.open(program)}>
            {row.name}
          </button>
        ) : (
          row.name
        )}
      </th>
      <td role="cell" title={row.hint} data-label={trans.__('CPU')}>
        {row.cpu}
      </td>
      <td role="cell" title={row.hint}>
        {row.memory}
      </td>
      {hasGpus && (
        <td role="cell" title={row.gpuHint} data-label={trans.__('GPU')}>
          {row.gpu}
        </td>
      )}
      <td role="cell" title={row.stateHint}>
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

/** Offer the acts in a menu of Lab's below a button, which gets the focus back. */
function openMenu(button: HTMLElement, acts: readonly IAct[]): void {
  const commands = new CommandRegistry();
  const menu = new Menu({ commands });
  for (const [index, { label, execute }] of acts.entries()) {
    const command = `act-${index}`;
    commands.addCommand(command, { label, execute });
    menu.addItem({ command });
  }
  menu.aboutToClose.connect(() => {
    button.setAttribute('aria-expanded', 'false');
    // Not from under a dialog that an act has opened meanwhile.
    requestAnimationFrame(() => {
      if (
        document.activeElement === document.body ||
        menu.node.contains(document.activeElement)
      ) {
        button.focus();
      }
      menu.dispose();
    });
  });
  const { left, bottom } = button.getBoundingClientRect();
  button.setAttribute('aria-expanded', 'true');
  menu.open(left, bottom);
}
