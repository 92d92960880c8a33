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
    this._keepFocus();
    this._follow();
    super.onUpdateRequest(msg);
  }

  protected override render(): React.ReactElement {
    return (
      <div ref={this._observe}>
        {this.model.banners.map(banner => (
          <Explanation key={banner.id} banner={banner} {...this._options} />
        ))}
      </div>
    );
  }

  /** A banner that goes would leave the focus that it has to nobody. */
  private _keepFocus(): void {
    const focused = this.node.querySelector<HTMLElement>('[data-notice]:focus-within');
    const id = focused?.dataset['notice'];
    if (focused && !this.model.banners.some(banner => banner.id === id)) {
      this._options.giveFocusBack();
    }
  }

  private _follow(): void {
    this.setHidden(this.model.banners.length === 0);
  }

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
}

function Explanation(props: IProps): React.ReactElement {
  const { banner, model, trans } = props;
  const openUsage = props.openUsage();
  return (
    <div
      className={`jp-EinfraNotices-banner jp-mod-${banner.severity}`}
      data-notice={banner.id}
      role={banner.severity === 'error' ? 'alert' : 'status'}
    >
      <p>
        <strong>{banner.text}</strong> {banner.consequences}
      </p>
      <div className="jp-EinfraNotices-actions">
        {banner.canRestart && (
          <Button
            accent
            disabled={banner.isRestarting}
            onClick={() => void model.restart()}
          >
            {trans.__('Restart Kernel')}
          </Button>
        )}
        {openUsage && <Button onClick={openUsage}>{trans.__('Show Usage Panel')}</Button>}
      </div>
      <button
        type="button"
        className="jp-EinfraNotices-dismiss"
        title={trans.__('Dismiss')}
        aria-label={trans.__('Dismiss')}
        onClick={() => {
          model.dismiss(banner.id);
        }}
      >
        <closeIcon.react tag="span" width="16px" />
      </button>
    </div>
  );
}

function Button(props: {
  readonly accent?: boolean;
  readonly disabled?: boolean;
  readonly onClick: () => void;
  readonly children: string;
}): React.ReactElement {
  return (
    <button
      type="button"
      className={`jp-Dialog-button jp-mod-styled ${props.accent ? 'jp-mod-accept' : 'jp-mod-reject'}`}
      // Really disabled, it would lose the focus.
      aria-disabled={props.disabled ?? false}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}
