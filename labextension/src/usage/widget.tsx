import { VDomRenderer } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import type { IFigure } from './figures';
import type { UsageModel } from './model';

/** Ways to show the figures, each more frugal than the one before; see the style. */
const DENSITIES = 7;

/** More GPUs than this are shown as one, the fullest. */
const MOST_GPUS = 3;

/** The item of the status bar: one button with all figures in it. */
export class UsageStatus extends VDomRenderer<UsageModel> {
  /**
   * @param model - what to show; the caller disposes of it
   * @param trans - the translations to take words from
   * @param onClick - opens the exact figures
   */
  constructor(
    model: UsageModel,
    private readonly _trans: TranslationBundle,
    private readonly _onClick: () => void
  ) {
    super(model);
    this.addClass('jp-EinfraUsage');
  }

  /** Whether the popup with the exact figures is open. */
  set expanded(expanded: boolean) {
    this._expanded = expanded;
    this.update();
  }

  /** Put the focus on the item, for instance when its popup has closed. */
  focus(): void {
    this.node.querySelector('button')?.focus();
  }

  override dispose(): void {
    this._observer.disconnect();
    super.dispose();
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    this._observer.observe(this.parent?.parent?.node ?? this.node);
  }

  protected override onUpdateRequest(msg: Message): void {
    super.onUpdateRequest(msg);
    void this.renderPromise?.then(() => {
      this._fit();
    });
  }

  protected override render(): React.ReactElement {
    const { view, announcement } = this.model;
    return (
      <>
        {view.kind !== 'hidden' && (
          <button
            type="button"
            className="jp-EinfraUsage-button jp-StatusBar-TextItem"
            aria-expanded={this._expanded}
            aria-haspopup="dialog"
            aria-label={this._label()}
            onClick={this._onClick}
          >
            {view.kind === 'waiting' && (
              <span className="jp-mod-dim" title={view.title}>
                {view.text}
              </span>
            )}
            {view.kind === 'stale' && (
              <span className="jp-mod-dim" title={view.title}>
                {view.text}
                <Bar share={null} />
              </span>
            )}
            {view.kind === 'live' &&
              this._gather(view.figures).map(figure => (
                <Figure key={figure.key} figure={figure} />
              ))}
          </button>
        )}
        <span className="jp-EinfraUsage-announcement" role="status">
          {announcement}
        </span>
      </>
    );
  }

  /** Leave out just so much that Lab's own items keep their room. */
  private _fit(): void {
    const button = this.node.querySelector('button');
    for (let density = 0; button && density < DENSITIES; density++) {
      this.node.dataset['density'] = String(density);
      if (button.scrollWidth <= button.clientWidth) {
        return;
      }
    }
  }

  private _label(): string {
    const { view } = this.model;
    switch (view.kind) {
      case 'hidden':
        return '';
      case 'waiting':
        return view.text;
      case 'stale':
        return this._trans.__('Usage: %1', view.text);
      case 'live':
        return this._trans.__(
          'Usage: %1',
          view.figures.map(({ summary }) => summary).join('; ')
        );
    }
  }

  /** Make one figure of many GPUs; the popup lists them all. */
  private _gather(figures: readonly IFigure[]): readonly IFigure[] {
    const gpus = figures.filter(({ kind }) => kind === 'gpu');
    if (gpus.length <= MOST_GPUS) {
      return figures;
    }
    const fullest = gpus.reduce((a, b) => ((b.share ?? 0) > (a.share ?? 0) ? b : a));
    return [
      ...figures.filter(({ kind }) => kind !== 'gpu'),
      {
        ...fullest,
        key: 'gpus',
        label: this._trans._n('%1 GPU', '%1 GPUs', gpus.length),
        notes: [
          this._trans.__('This is the fullest of them; click for all.'),
          ...fullest.notes
        ]
      }
    ];
  }

  private _expanded = false;
  private readonly _observer = new ResizeObserver(() => {
    this._fit();
  });
}

/** One resource: name, figure, bar. What is said to all is said by the button. */
function Figure({ figure }: { readonly figure: IFigure }): React.ReactElement {
  return (
    <span
      className={`jp-EinfraUsage-figure jp-mod-${figure.level}`}
      data-kind={figure.kind}
      title={[figure.summary, ...figure.notes].join('\n')}
    >
      <span className="jp-EinfraUsage-label">{figure.label}</span>
      <span className="jp-EinfraUsage-compact">{figure.compact}</span>
      {figure.extra && <span className="jp-EinfraUsage-extra">{figure.extra}</span>}
      <Bar share={figure.share} />
    </span>
  );
}

function Bar({ share }: { readonly share: number | null }): React.ReactElement {
  const width = `${Math.min(Math.max(share ?? 0, 0), 1) * 100}%`;
  return (
    <span className="jp-EinfraUsage-bar">
      <span style={{ width }} />
    </span>
  );
}
