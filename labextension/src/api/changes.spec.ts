import { Signal } from '@lumino/signaling';
import { expect, it, vi } from 'vitest';

import { whenChanged } from './changes';

it('tells of what reads otherwise once, whichever signal comes first', () => {
  const [one, other] = [new Signal<object, void>({}), new Signal<object, void>({})];
  const then = vi.fn();
  let text = 'before';
  whenChanged(() => text, then, one, other);
  one.emit();
  other.emit();
  expect(then).not.toHaveBeenCalled();
  text = 'after';
  other.emit();
  expect(then).toHaveBeenCalledTimes(1);
  one.emit();
  expect(then).toHaveBeenCalledTimes(1);
  text = 'before';
  one.emit();
  expect(then).toHaveBeenCalledTimes(2);
});
