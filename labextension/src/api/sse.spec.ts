import { describe, expect, it } from 'vitest';

import { EventStreamParser, type IServerSentEvent } from './sse';

/** Feed the text in the given pieces of bytes. */
function parse(text: string, cuts: readonly number[] = []): IServerSentEvent[] {
  const bytes = new TextEncoder().encode(text);
  const parser = new EventStreamParser();
  const edges = [0, ...cuts, bytes.length];
  return edges.slice(1).flatMap((end, at) => parser.push(bytes.subarray(edges[at], end)));
}

const LINES = [
  '\uFEFF: a heartbeat',
  '',
  'event: snapshot',
  'data: {"city": "Brno–Žabovřesky 𝒳"}',
  '',
  'id: 7',
  'event:usage',
  'data: first',
  'data:  second',
  'data',
  'unknown: field',
  '',
  ':',
  'event: without-data',
  '',
  'data: plain',
  '',
  ''
];

const EVENTS: IServerSentEvent[] = [
  { event: 'snapshot', data: '{"city": "Brno–Žabovřesky 𝒳"}' },
  { event: 'usage', data: 'first\n second\n' },
  { event: 'message', data: 'plain' }
];

describe('EventStreamParser', () => {
  for (const [name, end] of [
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r']
  ] as const) {
    const text = LINES.join(end);
    const length = new TextEncoder().encode(text).length;

    it(`reads events whose lines end with ${name}`, () => {
      expect(parse(text)).toEqual(EVENTS);
    });

    it(`does not mind where ${name} text is cut in two`, () => {
      for (let cut = 0; cut <= length; cut++) {
        expect(parse(text, [cut]), `cut at byte ${cut}`).toEqual(EVENTS);
      }
    });

    it(`reads ${name} text byte by byte`, () => {
      const cuts = Array.from({ length: length - 1 }, (_, at) => at + 1);
      expect(parse(text, cuts)).toEqual(EVENTS);
    });
  }

  it('gives an event out as soon as its blank line begins', () => {
    const parser = new EventStreamParser();
    const push = (text: string): IServerSentEvent[] =>
      parser.push(new TextEncoder().encode(text));
    expect(push('data: x\r\n')).toEqual([]);
    expect(push('\r')).toEqual([{ event: 'message', data: 'x' }]);
    // The second half of that line's end is not a blank line of its own.
    expect(push('\ndata: y\r\n')).toEqual([]);
    expect(push('\r\n')).toEqual([{ event: 'message', data: 'y' }]);
  });

  it('keeps the last id, also of later events that have none', () => {
    const parser = new EventStreamParser();
    const push = (text: string): IServerSentEvent[] =>
      parser.push(new TextEncoder().encode(text));
    expect(parser.lastEventId).toBe('');
    push('id: 41\ndata: x\n\ndata: y\n\n');
    expect(parser.lastEventId).toBe('41');
    push('id: 4\0\ndata: x\n\n');
    expect(parser.lastEventId).toBe('41');
    push('id: 42\n\n');
    expect(parser.lastEventId).toBe('42');
  });

  it('does not give out an event that was never finished', () => {
    expect(parse('data: half')).toEqual([]);
    expect(parse('data: half\n')).toEqual([]);
  });
});
