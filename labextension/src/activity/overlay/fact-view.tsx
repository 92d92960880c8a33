import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { tell, type Fact } from '../facts';
import type { Acts, IAct } from './acts';
import type { DigestWords } from './words';

interface IProps {
  readonly fact: Fact;
  readonly acts: Acts;
  readonly words: DigestWords;
  readonly trans: TranslationBundle;
  readonly now: Date;
  readonly close: (next: IAct | null) => void;
}

/** One line: when, what, and what can be done about it. */
export function FactView(props: IProps): React.ReactElement {
  const { acts, close, fact, now, trans, words } = props;
  const { code, details, name, text } = tell(fact, trans);
  const time = fact.time === null ? null : new Date(fact.time);
  return (
    <li data-severity={fact.severity}>
      <span className="jp-EinfraActivity-time">
        {time && (
          <time dateTime={time.toISOString()} title={words.when.moment(time)}>
            {words.format.time(time, now)}
          </time>
        )}
      </span>
      <span className="jp-EinfraActivity-text">
        <span className="jp-EinfraActivity-unseen">{words.severity(fact.severity)} </span>
        {name !== null && (
          <>
            <bdi>
              <b>{name}</b>
            </bdi>
            {': '}
          </>
        )}
        {text} {code !== '' && <code>{code}</code>}{' '}
        {details !== '' && <span className="jp-EinfraActivity-dim">{details}</span>}
      </span>
      <span className="jp-EinfraActivity-acts">
        {acts.of(fact).map(act => (
          <ActButton key={act.label} {...{ act, close }} />
        ))}
      </span>
    </li>
  );
}

/** A button that does one thing, and tells in place what came of it. */
export function ActButton({
  act,
  close,
  isMain
}: {
  readonly act: IAct;
  readonly close: (next: IAct | null) => void;
  readonly isMain?: boolean;
}): React.ReactElement {
  const [state, setState] = React.useState<'ready' | 'busy' | 'done'>('ready');
  const [why, setWhy] = React.useState('');
  const onClick = (): void => {
    if (act.done === null) {
      close(act);
    } else if (state === 'ready') {
      setState('busy');
      setWhy('');
      act.execute().then(
        () => {
          setState('done');
        },
        (error: unknown) => {
          setState('ready');
          setWhy(error instanceof Error ? error.message : String(error));
        }
      );
    }
  };
  return (
    <>
      <button
        type="button"
        className={isMain ? 'jp-Dialog-button jp-mod-styled jp-mod-accept' : ''}
        title={act.caption}
        // Really disabled, it would lose the focus.
        aria-disabled={state !== 'ready'}
        onClick={onClick}
      >
        {state === 'done' ? act.done : act.label}
      </button>
      {why !== '' && (
        <span className="jp-EinfraActivity-why" role="alert">
          {why}
        </span>
      )}
    </>
  );
}
