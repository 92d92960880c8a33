import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Link, type Answer, type IEvents, type LinkState } from './link';

/** A desktop whose connections do what the test says. */
class Desktop {
  readonly link = new Link({
    connect: events => {
      this.connections.push(events);
      return {
        close: () => this.log.push('close'),
        probe: () => this.log.push('probe')
      };
    },
    ask: () => {
      this.log.push('ask');
      return Promise.resolve(this.answer);
    },
    isHidden: () => this.isHidden,
    onState: state => this.states.push(state)
  });

  answer: Answer = 'runs';
  readonly connections: IEvents[] = [];
  isHidden = false;
  readonly log: string[] = [];
  readonly states: LinkState[] = [];

  get last(): IEvents {
    return this.connections.at(-1) as IEvents;
  }

  connect(): void {
    this.link.start();
    this.last.onConnected();
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('Link', () => {
  it('connects anew at once when a connection is lost', async () => {
    const desktop = new Desktop();
    desktop.connect();
    desktop.last.onLost();
    await vi.advanceTimersByTimeAsync(0);
    expect(desktop.connections).toHaveLength(2);
    desktop.last.onConnected();
    expect(desktop.states).toEqual(['connected', 'lost', 'connected']);
  });

  it('hears nothing of a connection that it has given up', async () => {
    const desktop = new Desktop();
    desktop.connect();
    const [first] = desktop.connections;
    desktop.last.onLost();
    await vi.advanceTimersByTimeAsync(0);
    desktop.last.onConnected();
    first?.onLost();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(desktop.link.state).toBe('connected');
    expect(desktop.connections).toHaveLength(2);
  });

  it('asks less and less often while the server is away', async () => {
    const desktop = new Desktop();
    desktop.connect();
    desktop.answer = 'away';
    desktop.last.onLost();
    await vi.advanceTimersByTimeAsync(60_000);
    // At once, then after 0.5, 1, 2, 4, 8 and 15 seconds, and every 15.
    expect(desktop.log.filter(word => word === 'ask')).toHaveLength(8);
    expect(desktop.connections).toHaveLength(1);
    desktop.answer = 'runs';
    await vi.advanceTimersByTimeAsync(15_000);
    desktop.last.onConnected();
    expect(desktop.link.state).toBe('connected');
  });

  it('asks at once when something has changed', async () => {
    const desktop = new Desktop();
    desktop.connect();
    desktop.answer = 'away';
    desktop.last.onLost();
    await vi.advanceTimersByTimeAsync(20_000);
    desktop.answer = 'runs';
    desktop.link.hurry();
    await vi.advanceTimersByTimeAsync(0);
    expect(desktop.connections).toHaveLength(2);
  });

  it('asks for nothing while nobody sees it', async () => {
    const desktop = new Desktop();
    desktop.connect();
    desktop.answer = 'away';
    desktop.isHidden = true;
    desktop.last.onLost();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(desktop.log.filter(word => word === 'ask')).toHaveLength(1);
    desktop.isHidden = false;
    desktop.answer = 'runs';
    desktop.link.hurry();
    await vi.advanceTimersByTimeAsync(0);
    expect(desktop.connections).toHaveLength(2);
  });

  it.each(['over', 'refused'] as const)('stays away when it is %s', async answer => {
    const desktop = new Desktop();
    desktop.connect();
    desktop.answer = answer;
    desktop.last.onLost();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(desktop.states).toEqual(['connected', 'lost', answer]);
    expect(desktop.connections).toHaveLength(1);
  });

  it('gives up a connection that shows no sign of life', async () => {
    const desktop = new Desktop();
    desktop.connect();
    desktop.link.hurry();
    desktop.link.hurry();
    expect(desktop.log).toEqual(['probe']);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(desktop.log).toEqual(['probe', 'close', 'ask']);
    expect(desktop.connections).toHaveLength(2);
  });

  it('keeps one that shows a sign of life', async () => {
    const desktop = new Desktop();
    desktop.connect();
    desktop.link.hurry();
    await vi.advanceTimersByTimeAsync(4_000);
    desktop.last.onLife();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(desktop.log).toEqual(['probe']);
    expect(desktop.link.state).toBe('connected');
  });

  it('gives up an attempt that comes to nothing, and tries again later', async () => {
    const desktop = new Desktop();
    desktop.link.start();
    desktop.last.onLife();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(desktop.states).toEqual(['lost']);
    expect(desktop.connections).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(500);
    expect(desktop.connections).toHaveLength(2);
  });
});
