import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { EinfraError } from '../../api/errors';
import { describe } from '../../api/messages';
import { Acts } from './acts';
import { ChartView } from './chart-view';
import { readPalette, type IPalette } from './colours';
import { EventsView } from './events-view';
import { GpusView } from './gpus-view';
import { PanelModel } from './model';
import { NotesView } from './notes-view';
import type { IFrame } from './plot';
import { ProgramsView } from './programs-view';
import { rangeWith } from './ranges';
import { Rows } from './rows';
import { save } from './save';
import type { IPanelOptions } from './shell';
import { ToolbarView } from './toolbar-view';
import { When } from './when';

import 'uplot/dist/uPlot.min.css';

import '../../../style/usage-panel.css';

/** All that the panel shows, for as long as it can be seen. */
export class PanelView extends ReactWidget {
  constructor(private readonly _options: IPanelOptions) {
    super();
    this.addClass('jp-EinfraUsagePanel-view');
    this._model = new PanelModel(_options);
    _options.themes?.themeChanged.connect(this._onTheme, this);
    for (const query of this._system) {
      query.addEventListener('change', this._onTheme);
    }
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._options.themes?.themeChanged.disconnect(this._onTheme, this);
    for (const query of this._system) {
      query.removeEventListener('change', this._onTheme);
    }
    this._model.dispose();
    super.dispose();
  }

  /** Show a time that contains the moment, and mark that. */
  point(moment: Date): void {
    this._moment = moment.getTime() / 1000;
    this._model.range = rangeWith(Date.now() / 1000 - this._moment);
    this.update();
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    if (this.isVisible) {
      this._model.show();
    }
  }

  protected override onAfterShow(): void {
    this._model.show();
  }

  protected override onBeforeHide(): void {
    this._model.hide();
  }

  protected override onBeforeDetach(msg: Message): void {
    this._model.hide();
    super.onBeforeDetach(msg);
  }

  protected override render(): React.ReactElement {
    return (
      <Panel
        model={this._model}
        options={this._options}
        id={this.id}
        moment={this._moment}
        theme={this._theme}
        palette={() => (this._palette ??= readPalette(this.node))}
      />
    );
  }

  private readonly _onTheme = (): void => {
    this._palette = null;
    this._theme++;
    this.update();
  };

  private readonly _model: PanelModel;
  private _moment: number | null = null;
  private _palette: IPalette | null = null;

  /** What changes the system's colours: they are drawn, and do not follow by themselves. */
  private readonly _system = [
    '(forced-colors: active)',
    '(prefers-color-scheme: dark)'
  ].map(query => window.matchMedia(query));
  private _theme = 0;
}

/** Where the cursor is, and on which chart. */
interface ICursor {
  readonly chart: string;
  readonly time: number;
}

interface IProps {
  readonly model: PanelModel;
  readonly options: IPanelOptions;
  readonly id: string;

  /** A moment to be marked, in seconds since 1970. */
  readonly moment: number | null;

  /** Changes with the theme. */
  readonly theme: number;

  readonly palette: () => IPalette;
}

function Panel(props: IProps): React.ReactElement {
  const { model, moment, options, id, theme, palette } = props;
  const { app, format, language, trans } = options;
  const [, setTurn] = React.useState(0);
  const [cursor, setCursor] = React.useState<ICursor | null>(null);
  const [exportTrouble, setExportTrouble] = React.useState<string | null>(null);
  const tools = React.useMemo(
    () => ({
      acts: new Acts(app, trans),
      rows: new Rows(trans, format),
      when: new When(language)
    }),
    [app, format, language, trans]
  );
  React.useEffect(() => {
    const onChange = (): void => {
      setTurn(turn => turn + 1);
    };
    model.stateChanged.connect(onChange);
    onChange();
    return () => {
      model.stateChanged.disconnect(onChange);
    };
  }, [model]);

  const { details, history } = model;
  const { range, timeline } = history;
  const frame: IFrame = {
    times: timeline.times,
    since: timeline.since,
    until: timeline.until,
    marks:
      moment === null
        ? history.marks
        : [...history.marks, { time: moment, text: '', kind: 'moment' }],
    tick: seconds => tools.when.tick(seconds, range),
    steps: range.steps
  };
  const point = cursor && timeline.nearest(cursor.time);
  const exportTable = (): void => {
    setExportTrouble(null);
    model.exportTable().then(
      table => {
        save(table, `usage-${model.range.key}.csv`);
      },
      (error: unknown) => {
        setExportTrouble(
          error instanceof EinfraError ? describe(error, trans) : String(error)
        );
      }
    );
  };

  return (
    <div className="jp-EinfraUsagePanel-body" aria-busy={history.loading}>
      <ToolbarView
        id={id}
        range={model.range}
        onRange={chosen => {
          setExportTrouble(null);
          model.range = chosen;
        }}
        onExport={exportTable}
        onTab={options.openTab}
        trans={trans}
      />
      <NotesView acts={tools.acts} {...{ model, trans, format, exportTrouble }} />
      {history.begun !== null && (
        <p className="jp-EinfraUsagePanel-begun">
          {trans.__(
            'Recorded since %1.',
            format.time(new Date(history.begun * 1000), new Date())
          )}
        </p>
      )}
      <div className="jp-EinfraUsagePanel-charts">
        {model.shown.map(chart => (
          <ChartView
            key={chart.key}
            chart={chart}
            frame={frame}
            version={`${theme} ${history.version} ${moment ?? ''}`}
            point={point}
            isSource={cursor?.chart === chart.key}
            onPoint={index => {
              const time = index === null ? undefined : timeline.times[index];
              setCursor(time === undefined ? null : { chart: chart.key, time });
            }}
            palette={palette}
            write={seconds => tools.when.exact(seconds, timeline.resolution)}
            trans={trans}
          />
        ))}
      </div>
      <ProgramsView
        trouble={model.detailsTrouble}
        hasGpus={model.hasGpus}
        wide={options.openTab === null}
        id={id}
        {...{ details, ...tools, trans }}
      />
      <GpusView gpus={details?.gpus ?? []} labels={model.gpuLabels} trans={trans} />
      <EventsView {...{ history, format, trans }} />
    </div>
  );
}
