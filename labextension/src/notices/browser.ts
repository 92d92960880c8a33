/** Ask for the browser's permission to notify, if it was neither given nor refused. */
export function askToNotify(): void {
  // Not every browser has notifications, and none on a page without a safe connection.
  if ('Notification' in window && Notification.permission === 'default') {
    void Notification.requestPermission();
  }
}

/** Show a notification outside of the page; a click leads back to it. */
export function notifyOutside(id: string, title: string, text: string): void {
  if (!('Notification' in window) || Notification.permission !== 'granted') {
    return;
  }
  const shown = new Notification(title, { body: text, tag: id });
  shown.addEventListener('click', () => {
    window.focus();
    shown.close();
  });
}
