import type { components } from '../api/schema';

type Notice = components['schemas']['Notice'];

/** A warning about memory; its id is its time too, so that ids tell the order. */
export function notice(id: string, change: Partial<Notice> = {}): Notice {
  return {
    id,
    time: `2026-11-20T12:00:00.${id}Z`,
    feature: 'usage',
    severity: 'warning',
    code: 'memory_high',
    message: `Message of ${id}.`,
    params: {},
    kernel_id: null,
    path: null,
    ...change
  };
}
