import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon, VDomRenderer } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import type { IBanner, NotebookNotices } from './notebook';

/** Tells above a notebook why its kernel died. */
export class Banner extends VDomRenderer<NotebookNotices> {
  constructor(private readonly _options: Banner.IOptions) {
    super(_options.model);
    this.addClass('jp-EinfraNotices');
    this._follow();
  }

  override dispose(): void {
    this._observer.disconnect();
    super.dispose();
  }

  protected override onUpdateRequest(msg: Message): void {
    this._follow();
    super.onUpdateRequest(msg);
  }

  protected override render(): React.ReactElement {
    return (
      <div ref={this._observe}>
        {this.model.banners.map(banner => (
          <Explanation
            key={banner.id}
            banner={banner}
            onDismiss={this._dismiss}
            {...this._options}
          />
        ))}
      </div>
    );
  }

  private _follow(): void {
    this.setHidden(this.model.banners.length === 0);
  }

  private readonly _dismiss = (id: string): void => {
    this.model.dismiss(id);
    // The button that had it is gone.
    this._options.giveFocusBack();
  };

  private readonly _observe = (content: HTMLElement | null): void => {
    this._observer.disconnect();
    if (content) {
      this._observer.observe(content);
    }
  };

  /** Lab's layout gives a widget the height that its style demands, and no more. */
  private readonly _observer = new ResizeObserver(([entry]) => {
    this.node.style.minHeight = `${Math.ceil(entry?.contentRect.height ?? 0)}px`;
    this.parent?.fit();
  });
}

export namespace Banner {
  export interface IOptions {
    readonly model: NotebookNotices;
    readonly trans: TranslationBundle;

    /** Opens the figures, where there is something that can show them. */
    readonly openUsage: () => (() => void) | null;

    /** Puts the focus on the notebook. */
    readonly giveFocusBack: () => void;
  }
}

interface IProps extends Banner.IOptions {
  readonly banner: IBanner;
  readonly onDismiss: (id: string) => void;
}

function Explanation(props: IProps): React.ReactElement {
  const { banner, model, onDismiss, trans } = props;
  const openUsage = props.openUsage();
  return (
    <div
      className={`jp-EinfraNotices-banner jp-mod-${banner.severity}`}
      role={banner.severity === 'error' ? 'alert' : 'status'}
    >
      <p>
        <strong>{banner.text}</strong> {banner.consequences}
      </p>
      <div className="jp-EinfraNotices-actions">
        {banner.canRestart && (
          <Button accent onClick={() => void model.restart()}>
            {trans.__('Restart Kernel')}
          </Button>
        )}
        {openUsage && <Button onClick={openUsage}>{trans.__('Show Usage')}</Button>}
      </div>
      <button
        type="button"
        className="jp-EinfraNotices-dismiss"
        title={trans.__('Dismiss')}
        aria-label={trans.__('Dismiss')}
        onClick={() => {
          onDismiss(banner.id);
        }}
      >
        <closeIcon.react tag="span" width="16px" />
      </button>
    </div>
  );
}

function Button(props: {
  readonly accent?: boolean;
  readonly onClick: () => void;
  readonly children: string;
}): React.ReactElement {
  return (
    <button
      type="button"
      className={`jp-Dialog-button jp-mod-styled ${props.accent ? 'jp-mod-accept' : 'jp-mod-reject'}`}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}
