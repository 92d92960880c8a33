import { LabIcon } from '@jupyterlab/ui-components';

import type { App, Badge } from './model';

/** Drawn in the lower right corner of 16 by 16; shapes, since not all tell colours apart. */
const MARKS: Readonly<Record<NonNullable<Badge>, string>> = {
  running:
    '<circle class="jp-EinfraApps-mark jp-mod-running" cx="12.500" cy="12.500" r="3"/>',
  starting:
    '<circle class="jp-EinfraApps-mark jp-mod-starting" cx="12.500" cy="12.500" r="2.500"/>',
  unknown:
    '<circle class="jp-EinfraApps-mark jp-mod-unknown" cx="12.500" cy="12.500" r="3"/>',
  failed:
    '<path class="jp-EinfraApps-mark jp-mod-failed" d="M12 7.500l4 7.500H8z"/>' +
    '<path class="jp-EinfraApps-bang" d="M11.500 10h1v2.500h-1zM11.500 13h1v1h-1z"/>'
};

const icons = new Map<string, LabIcon>();

/** The drawing of an application, with a mark for what it does. */
export function iconOf(app: Pick<App, 'name' | 'icon_svg'>, badge: Badge): LabIcon {
  const svgstr = badge === null ? app.icon_svg : marked(app.icon_svg, MARKS[badge]);
  const name = `jupyter-einfra:app-${app.name}-${badge ?? 'plain'}`;
  let icon = icons.get(name);
  if (icon?.svgstr !== svgstr) {
    icon = new LabIcon({ name, svgstr });
    icons.set(name, icon);
  }
  return icon;
}

/** Put a mark on top of a drawing, whatever its size. */
export function marked(svg: string, mark: string): string {
  const box = /viewBox="\s*(\S+)[\s,]+(\S+)[\s,]+(\S+)[\s,]+(\S+)\s*"/.exec(svg);
  const [x, y, width, height] = box ? box.slice(1).map(Number) : [0, 0, 16, 16];
  const place = `translate(${x ?? 0} ${y ?? 0}) scale(${(width ?? 16) / 16} ${(height ?? 16) / 16})`;
  return svg.replace(/<\/svg>\s*$/, `<g transform="${place}">${mark}</g></svg>`);
}
