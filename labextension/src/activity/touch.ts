/** Whether the user has typed or clicked since the page was opened, or was seen again. */
export class Touch {
  constructor() {
    const onTouch = (): void => {
      this._begun = true;
    };
    window.addEventListener('keydown', onTouch, true);
    window.addEventListener('pointerdown', onTouch, true);
    document.addEventListener('visibilitychange', () => {
      this._begun = false;
    });
  }

  get begun(): boolean {
    return this._begun;
  }

  private _begun = false;
}
