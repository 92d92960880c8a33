import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IRunningSessionManagers, IRunningSessions } from '@jupyterlab/running';
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  closeIcon,
  CommandToolbarButton,
  listIcon,
  refreshIcon,
  stopIcon,
  undoIcon,
  type LabIcon
} from '@jupyterlab/ui-components';
import { Signal } from '@lumino/signaling';
import React from 'react';

import type { Format } from '../api/format';
import { describe } from '../api/messages';
import type { Acts } from './acts';
import { iconOf } from './icons';
import { CommandIDs } from './ids';
import { keepsSession, lossesOf } from './losses';
import { isAlive, type AppsModel, type Instance } from './model';
import type { Figures } from './figures';

interface IOptions {
  readonly app: JupyterFrontEnd;
  readonly model: AppsModel;
  readonly acts: Acts;
  readonly figures: Figures;
  readonly trans: TranslationBundle;
  readonly format: Format;
}

/** How often it is told anew for how long something has run. */
const TICK_MS = 60_000;

/** The section of applications in Lab's list of what runs. */
class RunningApps implements IRunningSessions.IManager {
  constructor(private readonly _options: IOptions) {
    const { app, figures, model, trans } = _options;
    this.name = trans.__('Applications');
    this.shutdownAllLabel = trans.__('Stop All');
    this.shutdownLabel = trans.__('Stop');
    this.shutdownItemIcon = stopIcon;
    this.toolbarButtons = [
      new CommandToolbarButton({ commands: app.commands, id: CommandIDs.stopAll })
    ];
    const changed = (): void => {
      this.runningChanged.emit();
    };
    model.changed.connect(changed);
    figures.changed.connect(changed);
    setInterval(() => {
      if (model.instances.length > 0) {
        changed();
      }
    }, TICK_MS);
  }

  readonly name: string;
  readonly runningChanged = new Signal<this, void>(this);
  readonly shutdownAllLabel: string;
  readonly shutdownItemIcon: LabIcon;
  readonly shutdownLabel: string;
  readonly supportsMultipleViews = false;

  /** In place of Lab's own "Stop All", which asks even if there is nothing to lose. */
  readonly toolbarButtons: CommandToolbarButton[];

  /** For a Lab that has no room for a button of ours. */
  get shutdownAllConfirmationText(): string {
    const { model, trans } = this._options;
    return lossesOf(model.instances, trans) || trans.__('Dismiss All');
  }

  running(): IRunningSessions.IRunningItem[] {
    return this._options.model.instances.map(instance => this._item(instance));
  }

  refreshRunning(): void {
    this.runningChanged.emit(); // the server tells every change by itself
  }

  shutdownAll(): void {
    const { acts, model } = this._options;
    for (const { id } of model.instances) {
      void acts.stop(id); // Lab has asked
    }
  }

  private _item(instance: Instance): IRunningSessions.IRunningItem {
    const { app, model, trans } = this._options;
    const { id } = instance;
    const described = model.app(instance.app);
    const run = (command: string) => () => {
      void app.commands.execute(command, { id });
    };
    const labelOf = (command: string): string => app.commands.label(command, { id });
    const icon = described
      ? iconOf(described, instance.state === 'failed' && !model.lostSince ? 'failed' : null)
      : stopIcon;
    return {
      className: 'jp-EinfraApps-item',
      context: `einfra-app:${id}`,
      icon: () => icon,
      label: () => [
        element('title', [instance.title]),
        element('acts', [
          button(refreshIcon, labelOf(CommandIDs.restart), run(CommandIDs.restart)),
          ...(keepsSession(model, instance.app) && instance.state !== 'running'
            ? [button(undoIcon, labelOf(CommandIDs.reset), run(CommandIDs.reset))]
            : []),
          button(
            listIcon,
            trans.__('Show the log of %1', instance.title),
            run(CommandIDs.log)
          ),
          ...(instance.state === 'failed'
            ? [button(closeIcon, labelOf(CommandIDs.dismiss), run(CommandIDs.dismiss))]
            : [])
        ]),
        element('figures', [this._figures(instance)])
      ],
      labelTitle: () => this._hint(instance),
      open: run(CommandIDs.show),
      ...(isAlive(instance) && { shutdown: run(CommandIDs.stop) })
    };
  }

  /** "2 hr · 0.3 cores · 410 MiB". */
  private _figures(instance: Instance): string {
    const { figures, format, model, trans } = this._options;
    if (model.lostSince) {
      return trans.__('not known since %1', format.time(model.lostSince, new Date()));
    }
    if (instance.state !== 'running') {
      return instance.reason?.code === 'app_saving'
        ? trans.__('saving its session')
        : stateWord(instance.state, trans);
    }
    const seconds = (Date.now() - Date.parse(instance.since)) / 1000;
    const used = figures.of(instance.id);
    const cores = used?.cpu_cores ?? null;
    const memory = used?.memory_bytes ?? null;
    const gpu = used?.gpu_memory_bytes ?? 0;
    return [
      format.duration(Math.max(seconds, 0)),
      cores === null ? '' : format.cores(cores, null),
      memory === null ? '' : format.size(memory),
      gpu > 0 ? trans.__('GPU %1', format.size(gpu)) : ''
    ]
      .filter(Boolean)
      .join(' · ');
  }

  private _hint(instance: Instance): string {
    const { format, trans } = this._options;
    const used = instance.last_used;
    return [
      instance.title,
      instance.folder,
      instance.reason && describe(instance.reason, trans),
      instance.restarts > 0 &&
        trans._n(
          'Started again %1 time by itself',
          'Started again %1 times by itself',
          instance.restarts
        ),
      used && trans.__('Last used: %1', format.time(new Date(used), new Date())),
      instance.hides_use &&
        trans.__('Its pages do not let its use be seen, but in tabs of JupyterLab')
    ]
      .filter(Boolean)
      .join('\n');
  }
}

/** Add the section, for as long as there is any application that could be in it. */
export function addRunning(managers: IRunningSessionManagers, options: IOptions): void {
  const { model } = options;
  const add = (): void => {
    // Lab has no way to take a section out again, so it comes with the first tile.
    if (model.installed.length > 0) {
      model.changed.disconnect(add);
      managers.add(new RunningApps(options));
    }
  };
  model.changed.connect(add);
}

function stateWord(state: Instance['state'], trans: TranslationBundle): string {
  switch (state) {
    case 'starting':
      return trans.__('starting');
    case 'stopping':
      return trans.__('stopping');
    case 'failed':
      return trans.__('failed');
    case 'stopped':
      return trans.__('stopped');
    case 'running':
      return trans.__('running');
  }
}

/** A part of a line. Its children are an array, as Lab's search expects of it. */
function element(name: string, children: React.ReactNode[]): React.ReactElement {
  const className = `jp-EinfraApps-${name}`;
  return React.createElement('span', { key: name, className }, children);
}

function button(icon: LabIcon, label: string, act: () => void): React.ReactElement {
  const props = {
    key: icon.name,
    type: 'button',
    className: 'jp-EinfraApps-act',
    title: label,
    'aria-label': label,
    onClick: (event: React.MouseEvent) => {
      event.stopPropagation();
      act();
    },
    onKeyDown: (event: React.KeyboardEvent) => {
      if (event.key === 'Enter') {
        event.preventDefault(); // Lab's tree has done so, and no click follows
        act();
      }
    }
  };
  const drawing = React.createElement(Drawing, { key: 'icon', icon, children: [] });
  return React.createElement('button', props, [drawing]);
}

/** An icon of Lab's in the colours of the theme. */
function Drawing({ icon }: IDrawing): React.ReactElement {
  return React.createElement(icon.react, { tag: null });
}

interface IDrawing {
  readonly icon: LabIcon;

  /** None; here for Lab's search, which asks. */
  readonly children: readonly never[];
}
