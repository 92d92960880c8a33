/** What we use of noVNC, which has no types of its own: see its `docs/API.md`. */
declare module '@novnc/novnc' {
  export default class RFB extends EventTarget {
    constructor(target: HTMLElement, channel: WebSocket, options?: { shared?: boolean });

    background: string;
    compressionLevel: number;
    focusOnClick: boolean;
    qualityLevel: number;
    resizeSession: boolean;
    scaleViewport: boolean;

    clipboardPasteFrom(text: string): void;
    disconnect(): void;

    /** Press a key or release it, or without `down` do both. */
    sendKey(keysym: number, code: string | null, down?: boolean): void;
  }
}
