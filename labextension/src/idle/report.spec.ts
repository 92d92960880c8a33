import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { EinfraError } from '../api/errors';
import { Format } from '../api/format';
import { hours, idleReport, idleStatus, NOW } from '../testing/idle';
import { PlayedStream } from '../testing/stream';
import { IdleModel } from './model';
import { ReportModel } from './report';
import { When } from '../api/when';
import { IdleWords } from './words';

const trans = nullTranslator.load('jupyter_einfra');
const words = new IdleWords(trans, new Format(trans, 'en-GB'), new When('en-GB'));

const request = vi.fn<(path: string, init: RequestInit) => Promise<Response>>();

let stream: PlayedStream;
let model: IdleModel;
let report: ReportModel;

beforeEach(() => {
  request.mockReset();
  request.mockImplementation(() => Promise.resolve(Response.json(idleReport())));
  stream = new PlayedStream();
  model = new IdleModel({ stream, trans, words, shown: true, now: () => NOW });
  report = new ReportModel(model, request);
});

afterEach(() => {
  report.dispose();
  model.dispose();
});

it('asks when somebody looks, not before', async () => {
  stream.send(idleStatus());
  expect(request).not.toHaveBeenCalled();
  report.show();
  expect(report.loading).toBe(true);
  await vi.waitFor(() => {
    expect(report.report).toEqual(idleReport());
  });
  expect(request.mock.calls.map(([path]) => path)).toEqual(['idle']);
});

it('asks again when the server says something new, and only then', async () => {
  report.show();
  await vi.waitFor(() => {
    expect(report.report).not.toBeNull();
  });
  stream.send(idleStatus({ time: hours(0.1) }));
  expect(request).toHaveBeenCalledTimes(1);
  stream.send(idleStatus({ counter: 3 }));
  expect(request).toHaveBeenCalledTimes(2);
  report.hide();
  stream.send(idleStatus({ counter: 4 }));
  expect(request).toHaveBeenCalledTimes(2);
});

it('keeps what it had where a new answer does not come', async () => {
  report.show();
  await vi.waitFor(() => {
    expect(report.report).not.toBeNull();
  });
  request.mockRejectedValue(new EinfraError({ code: 'network_error', message: '' }));
  await report.load();
  expect(report.error?.code).toBe('network_error');
  expect(report.report).not.toBeNull();
  request.mockResolvedValue(Response.json(idleReport()));
  await report.load();
  expect(report.error).toBeNull();
});
