/** One server-sent event. */
export interface IServerSentEvent {
  /** The value of the `event` field, `message` when there was none. */
  readonly event: string;

  /** The `data` lines, joined with line feeds. */
  readonly data: string;
}

/**
 * An incremental parser of `text/event-stream`.
 *
 * Bytes go in as they come, split anywhere; whole events come out.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export class EventStreamParser {
  /** The last `id` seen; it outlives the event it came with. */
  get lastEventId(): string {
    return this._lastEventId;
  }

  /** Take the next bytes and return the events that they complete. */
  push(chunk: Uint8Array): IServerSentEvent[] {
    const events: IServerSentEvent[] = [];
    let text = this._decoder.decode(chunk, { stream: true });
    if (this._afterCarriageReturn && text.length > 0) {
      // The line ended with the chunk; a line feed now is its second half.
      text = text.startsWith('\n') ? text.slice(1) : text;
      this._afterCarriageReturn = false;
    }
    this._afterCarriageReturn ||= text.endsWith('\r');
    const lines = (this._rest + text).split(/\r\n|\r|\n/);
    this._rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = this._line(line);
      if (event) {
        events.push(event);
      }
    }
    return events;
  }

  private _line(line: string): IServerSentEvent | null {
    if (line === '') {
      return this._dispatch();
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') {
      this._event = value;
    } else if (field === 'data') {
      this._data.push(value);
    } else if (field === 'id' && !value.includes('\0')) {
      this._lastEventId = value;
    }
    // Comments have an empty field name. `retry` is ours to decide.
    return null;
  }

  private _dispatch(): IServerSentEvent | null {
    const event = this._event || 'message';
    const data = this._data;
    this._event = '';
    this._data = [];
    return data.length > 0 ? { event, data: data.join('\n') } : null;
  }

  private _afterCarriageReturn = false;
  private _data: string[] = [];
  // Drops a byte order mark and keeps half characters until the rest comes.
  private readonly _decoder = new TextDecoder();
  private _event = '';
  private _lastEventId = '';
  private _rest = '';
}
