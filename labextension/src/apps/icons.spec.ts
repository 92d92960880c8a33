import { expect, it, vi } from 'vitest';

import { app } from '../testing/apps';
import { iconOf, marked } from './icons';

// Lab's own needs a browser.
vi.mock('@jupyterlab/ui-components', () => ({
  LabIcon: vi.fn(function (this: object, options: object) {
    Object.assign(this, options);
  })
}));

it('puts a mark on top, whatever the size of the drawing', () => {
  const mark = '<circle/>';
  expect(marked('<svg viewBox="0 0 16 16"><path/></svg>', mark)).toBe(
    '<svg viewBox="0 0 16 16"><path/><g transform="translate(0 0) scale(1 1)"><circle/></g></svg>'
  );
  expect(marked('<svg viewBox="-4 2 32 64"><path/></svg>\n', mark)).toContain(
    '<g transform="translate(-4 2) scale(2 4)"><circle/></g></svg>'
  );
  expect(marked('<svg><path/></svg>', mark)).toContain('scale(1 1)');
});

it('is the same drawing for as long as nothing changes', () => {
  const described = app();
  expect(iconOf(described, null)).toBe(iconOf(described, null));
  expect(iconOf(described, 'running')).not.toBe(iconOf(described, null));
  expect(iconOf(described, 'running').svgstr).toContain('<circle');
  expect(iconOf(described, 'starting').svgstr).toContain('jp-mod-starting');
  expect(iconOf(described, 'unknown').svgstr).toContain('jp-mod-unknown');
  expect(iconOf(described, 'failed').svgstr).toContain('<path');
  expect(iconOf(described, null).svgstr).toBe(described.icon_svg);
});
