import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { describe } from '../../api/messages';
import type { components } from '../../api/schema';
import type { IActivitySettings } from '../settings';
import type { Acts, IAct } from './acts';
import type { Digest, DigestModel } from './digest';
import { ActButton, FactView } from './fact-view';
import { SparklineView } from './sparkline-view';
import type { DigestWords } from './words';

import '../../../style/activity.css';

/** Of the element that names the overlay. */
export const LABEL_ID = 'einfra-activity-title';

export interface IViewOptions {
  readonly model: DigestModel;
  readonly words: DigestWords;
  readonly acts: Acts;
  readonly trans: TranslationBundle;
  readonly settings: () => IActivitySettings;
  readonly setShown: () => ((show: boolean) => void) | null;

  /** Closes the overlay, and then does something, if anything. */
  readonly close: (next: IAct | null) => void;
}

/** All that the overlay shows. */
export class View extends ReactWidget {
  constructor(private readonly _options: IViewOptions) {
    super();
    this.addClass('jp-EinfraActivity-card');
    _options.model.changed.connect(this.update, this);
  }

  override dispose(): void {
    this._options.model.changed.disconnect(this.update, this);
    super.dispose();
  }

  protected override render(): React.ReactElement {
    return <Card {...this._options} now={new Date()} />;
  }
}

interface IProps extends IViewOptions {
  readonly now: Date;
}

function Card(props: IProps): React.ReactElement {
  const { close, model, now, trans, words } = props;
  const { digest, error } = model;
  return (
    <>
      <header>
        <div>
          <h1 id={LABEL_ID} tabIndex={-1}>
            {trans.__('Welcome back')}
          </h1>
          {digest && <p>{words.introduction(digest, model.wasAway, now)}</p>}
        </div>
        <button
          type="button"
          className="jp-EinfraActivity-quiet"
          onClick={() => {
            close(null);
          }}
        >
          {trans.__('Close')}
        </button>
      </header>
      <div className="jp-EinfraActivity-scroll">
        <div className="jp-EinfraActivity-state" role="status">
          {!digest && !error && <p>{trans.__('Waiting for the answer of the server…')}</p>}
          {error && (
            <p className="jp-EinfraActivity-note">
              {!digest && trans.__('It cannot be told now.')} {describe(error, trans)}
              {!digest && (
                <button
                  type="button"
                  onClick={() => {
                    void model.load();
                  }}
                >
                  {trans.__('Try Again')}
                </button>
              )}
            </p>
          )}
        </div>
        {digest && <Sections {...props} digest={digest} />}
      </div>
      {digest && <Footer {...props} digest={digest} />}
    </>
  );
}

interface IDigestProps extends IProps {
  readonly digest: Digest;
}

function Sections(props: IDigestProps): React.ReactElement {
  const { acts, close, digest, model, now, trans, words } = props;
  const { history } = model;
  return (
    <>
      {history && <SparklineView {...{ digest, history, now, words, trans }} />}
      {digest.reason && (
        <p className="jp-EinfraActivity-note">{describe(digest.reason, trans)}</p>
      )}
      {!model.isRecording && (
        <p className="jp-EinfraActivity-note">
          {trans.__('What happens on this server is not recorded now.')}
        </p>
      )}
      {!model.hasNews && (
        <p className="jp-EinfraActivity-nothing">{words.nothing(digest, now)}</p>
      )}
      {digest.sections.map(section => (
        <section key={section.name} data-section={section.name}>
          <h2>{words.section(section.name)}</h2>
          <ul>
            {section.facts.map(fact => (
              <FactView key={fact.id} {...{ acts, close, fact, now, trans, words }} />
            ))}
          </ul>
          {section.more > 0 && (
            <p className="jp-EinfraActivity-dim">
              {trans._n('and %1 more', 'and %1 more', section.more)}
            </p>
          )}
        </section>
      ))}
      {digest.use && <Use {...props} use={digest.use} />}
    </>
  );
}

function Use({
  acts,
  close,
  digest,
  trans,
  use,
  words
}: IDigestProps & {
  readonly use: components['schemas']['DigestUse'];
}): React.ReactElement | null {
  const told = words.use(use, digest);
  const shown = use.memory_peak_at === null ? [] : acts.showUsage(use.memory_peak_at);
  return told.length === 0 ? null : (
    <section data-section="use">
      <h2>{trans.__('Used since then')}</h2>
      <div className="jp-EinfraActivity-use">
        <p className="jp-EinfraActivity-dim">{told.join(' ')}</p>
        {shown.map(act => (
          <ActButton key={act.label} {...{ act, close }} />
        ))}
      </div>
    </section>
  );
}

function Footer(props: IDigestProps): React.ReactElement {
  const { acts, close, digest, model, settings, setShown, trans, words } = props;
  const [isShown, setIsShown] = React.useState(settings().show);
  const keep = setShown();
  const last = digest.sections.find(({ name }) => name === 'continue')?.facts[0];
  return (
    <footer>
      <div>
        {keep && (
          <label className="jp-EinfraActivity-dim">
            <input
              type="checkbox"
              checked={isShown}
              onChange={({ target: { checked } }) => {
                setIsShown(checked);
                keep(checked);
              }}
            />
            {words.showing(settings())}
          </label>
        )}
        <button
          type="button"
          className="jp-EinfraActivity-quiet"
          onClick={() => {
            void model.record(!model.isRecording);
          }}
        >
          {model.isRecording ? trans.__('Do Not Record') : trans.__('Record Again')}
        </button>
      </div>
      {last &&
        acts
          .continueIn(last)
          .map(act => <ActButton key={act.label} isMain {...{ act, close }} />)}
    </footer>
  );
}
