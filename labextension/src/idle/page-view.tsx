import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { describe } from '../api/messages';
import type { components } from '../api/schema';
import { factsOf, rowsOf, type IRow } from './facts';
import { PictureView } from './picture-view';
import type { ReportModel } from './report';
import type { IdleWords } from './words';

/** Words such as "in 40 min" hold no longer, and now has moved on. */
const MINUTE_MS = 60_000;

/** What can be done from the page; null what cannot. */
export interface IPageActs {
  readonly saveAll: (() => void) | null;
  readonly stop: (() => void) | null;
  readonly ask: (() => void) | null;

  /** The hub's page. */
  readonly controlPanel: string | null;
}

export interface IPageProps {
  readonly model: ReportModel;
  readonly acts: () => IPageActs;
  readonly words: IdleWords;
  readonly trans: TranslationBundle;
  readonly now: () => Date;
}

/** The answer to the one question, and what it rests on. */
export function PageView({
  model,
  acts,
  words,
  trans,
  now
}: IPageProps): React.ReactElement {
  useMinutes();
  const { error, loading, report } = model;
  return (
    <div className="jp-EinfraIdle-body" aria-busy={loading}>
      <p className="jp-EinfraIdle-question">{trans.__('Will my server be kept?')}</p>
      <div role="status">
        {!report && !error && <p>{trans.__('Waiting for the answer of the server…')}</p>}
        {error && (
          <div className="jp-EinfraIdle-note">
            <p>
              {report
                ? trans.__('This may be out of date.')
                : trans.__('It cannot be told now.')}{' '}
              {describe(error, trans)}
            </p>
            <Button disabled={loading} onClick={() => void model.load()}>
              {trans.__('Try Again')}
            </Button>
          </div>
        )}
      </div>
      {report && <Answer report={report} now={now()} {...{ words, trans, acts }} />}
    </div>
  );
}

interface IAnswerProps extends Pick<IPageProps, 'acts' | 'words' | 'trans'> {
  readonly report: components['schemas']['IdleReport'];
  readonly now: Date;
}

function Answer({ report, now, acts, words, trans }: IAnswerProps): React.ReactElement {
  const { status } = report;
  const rows = rowsOf(report, now, words, trans);
  return (
    <>
      <h2 data-level={status.level}>{words.answer(status, now)}</h2>
      {words.advice(status, now).map(text => (
        <p key={text}>{text}</p>
      ))}
      {status.level === 'unknown' && status.policy && status.policy.text !== '' && (
        <blockquote>{words.quoted(status.policy.text)}</blockquote>
      )}
      <ActsView acts={acts()} trans={trans} />
      <PictureView {...{ report, rows, now, words, trans }} />
      {rows.length > 0 && <Evaluations rows={rows} trans={trans} />}
      <dl>
        {factsOf(status, now, words, trans).map(({ term, told }) => (
          <React.Fragment key={term}>
            <dt>{term}</dt>
            {told.map(text => (
              <dd key={text}>{text}</dd>
            ))}
          </React.Fragment>
        ))}
      </dl>
    </>
  );
}

function ActsView({
  acts: { ask, controlPanel, saveAll, stop },
  trans
}: {
  readonly acts: IPageActs;
  readonly trans: TranslationBundle;
}): React.ReactElement {
  return (
    <div className="jp-EinfraIdle-acts">
      {saveAll && (
        <Button accent onClick={saveAll}>
          {trans.__('Save All')}
        </Button>
      )}
      {ask && <Button onClick={ask}>{trans.__('Ask for More Time…')}</Button>}
      {stop && <Button onClick={stop}>{trans.__('Stop My Server…')}</Button>}
      {!stop && controlPanel !== null && (
        <a href={controlPanel} target="_blank" rel="noopener noreferrer">
          {trans.__('Open the Hub’s Control Panel')}
        </a>
      )}
    </div>
  );
}

/** A button as Lab's dialogs have them. */
function Button(props: {
  readonly accent?: boolean;
  readonly disabled?: boolean;
  readonly onClick: () => void;
  readonly children: string;
}): React.ReactElement {
  const look = props.accent ? 'jp-mod-accept' : 'jp-mod-reject';
  return (
    <button
      type="button"
      className={`jp-Dialog-button jp-mod-styled ${look}`}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}

/** What the picture shows, for those who want it in words. */
function Evaluations({
  rows,
  trans
}: {
  readonly rows: readonly IRow[];
  readonly trans: TranslationBundle;
}): React.ReactElement {
  return (
    <details>
      <summary>{trans.__('All evaluations in words')}</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('When')}</th>
            <th scope="col">{trans.__('What')}</th>
            <th scope="col">{trans.__('Counter')}</th>
            <th scope="col">{trans.__('Told by')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={row.key}>
              <th scope="row">{row.time}</th>
              <td>{row.found}</td>
              <td>{row.counter}</td>
              <td>{row.source}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

/** Draw anew each minute: time goes on. */
function useMinutes(): void {
  const [, setTurn] = React.useState(0);
  React.useEffect(() => {
    const timer = setInterval(() => {
      setTurn(turn => turn + 1);
    }, MINUTE_MS);
    return () => {
      clearInterval(timer);
    };
  }, []);
}
