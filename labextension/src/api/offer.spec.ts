import { expect, it } from 'vitest';

import { EinfraError } from './errors';
import { reason } from '../testing/samples';
import { PlayedStream } from '../testing/stream';
import { Offer } from './offer';

it('stands until the server says otherwise, and again when it is back', () => {
  const stream = new PlayedStream();
  const offer = new Offer(stream, 'usage');
  const heard: boolean[] = [];
  offer.changed.connect((_, stands) => void heard.push(stands));
  expect(offer.stands).toBe(true);
  stream.open('off');
  expect(offer.stands).toBe(false);
  stream.become('lost', new EinfraError({ code: 'network_error', message: '' }));
  expect(offer.stands).toBe(false);
  stream.open('on');
  expect(heard).toEqual([false, true]);
});

it('falls where the topic is refused', () => {
  const stream = new PlayedStream();
  const offer = new Offer(stream, 'usage');
  stream.open('on', [{ topic: 'usage', reason: reason('forbidden') }]);
  expect(offer.stands).toBe(false);
});

it.each([401, 403, 404, 429])('stands after a refusal with %d', status => {
  const stream = new PlayedStream();
  const offer = new Offer(stream, 'usage');
  stream.open('on');
  stream.become('refused', new EinfraError({ code: 'http_error', message: '', status }));
  expect(offer.stands).toBe(true);
});
