import type { TranslationBundle } from '@jupyterlab/translation';

import { agreed } from '../api/ask';
import { isAlive, type AppsModel, type Instance } from './model';

/** Whether an application keeps a session that can be reset. */
export function keepsSession(model: AppsModel, name: string): boolean {
  return typeof model.app(name)?.kept_in === 'string';
}

/** What is lost when instances are stopped; empty if nothing of them runs. */
export function lossesOf(instances: readonly Instance[], trans: TranslationBundle): string {
  const titles = instances.filter(isAlive).map(({ title }) => title);
  return titles.length === 0
    ? ''
    : trans.__('This stops %1. What has not been saved there is lost.', titles.join(', '));
}

/** Ask before something is lost; where nothing is, it is meant. */
export async function isMeant(
  title: string,
  losses: string,
  label: string,
  trans: TranslationBundle
): Promise<boolean> {
  return losses === '' || agreed(title, losses, label, trans);
}

/** Whether one instance may end; a start that is given up has nothing to lose. */
export async function mayEnd(
  label: string,
  instance: Instance,
  model: AppsModel,
  trans: TranslationBundle
): Promise<boolean> {
  const kept = (): string =>
    trans.__(
      'This stops %1. It saves its session first, and goes on with it at its next start. What it computes meanwhile is interrupted.',
      instance.title
    );
  const lost = (): string =>
    keepsSession(model, instance.app) ? kept() : lossesOf([instance], trans);
  const losses = instance.state === 'running' ? lost() : '';
  return isMeant(`${label}: ${instance.title}?`, losses, label, trans);
}
