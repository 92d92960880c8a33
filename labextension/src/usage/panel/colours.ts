/** What the colours of a chart stand for. */
export interface IPalette {
  readonly main: string;
  readonly area: string;
  readonly band: string;
  readonly second: string;
  readonly stacked: string;
  readonly limit: string;
  readonly ticks: string;
  readonly loss: string;
  readonly mark: string;
  readonly grid: string;
  readonly text: string;
  readonly background: string;
  readonly font: string;
}

/** Red, green and blue from 0 to 255, and opacity from 0 to 1. */
export type Rgba = readonly [number, number, number, number];

/** Which of the theme's variables, or of the system's colours, each one is. */
const SOURCES = {
  main: ['--jp-brand-color1', 'Highlight'],
  second: ['--jp-accent-color1', 'CanvasText'],
  stacked: ['--jp-layout-color3', 'GrayText'],
  limit: ['--jp-ui-font-color2', 'CanvasText'],
  ticks: ['--jp-warn-color1', 'CanvasText'],
  loss: ['--jp-error-color1', 'CanvasText'],
  mark: ['--jp-ui-font-color2', 'CanvasText'],
  text: ['--jp-ui-font-color2', 'CanvasText'],
  background: ['--jp-layout-color1', 'Canvas']
} as const;

/**
 * The colours of the theme as it is now.
 *
 * @param variable - the value of one of the theme's variables
 * @param resolve - what the browser makes of a colour, however it is written
 * @param forced - whether the user has the system's colours put on everything
 */
export function paletteOf(
  variable: (name: string) => string,
  resolve: (colour: string) => Rgba,
  forced: boolean
): IPalette {
  const colour = (role: keyof typeof SOURCES): Rgba => {
    const [name, system] = SOURCES[role];
    return resolve(forced ? system : variable(name) || system);
  };
  const main = colour('main');
  return {
    main: css(main),
    area: css(main, 0.16),
    band: css(main, 0.28),
    second: css(colour('second')),
    stacked: css(colour('stacked'), 0.6),
    limit: css(colour('limit')),
    ticks: css(colour('ticks')),
    loss: css(colour('loss')),
    mark: css(colour('mark')),
    // Borders are stark in themes of high contrast: lines behind figures must not be.
    grid: css(colour('text'), 0.2),
    text: css(colour('text')),
    background: css(colour('background'), 0.75),
    font: variable('--jp-ui-font-family') || 'sans-serif'
  };
}

/** A colour as a canvas takes it, made fainter by `opacity`. */
export function css([red, green, blue, alpha]: Rgba, opacity = 1): string {
  return `rgba(${red}, ${green}, ${blue}, ${Number((alpha * opacity).toFixed(3))})`;
}

/** The colours that hold for a node now. */
export function readPalette(node: Element): IPalette {
  const style = getComputedStyle(node);
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  // Drawn and read back: the browser knows every way to write a colour.
  const resolve = (colour: string): Rgba => {
    if (!context) {
      return [0, 0, 0, 1];
    }
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0, alpha = 255] = context.getImageData(
      0,
      0,
      1,
      1
    ).data;
    return [red, green, blue, alpha / 255];
  };
  return paletteOf(
    name => style.getPropertyValue(name).trim(),
    resolve,
    window.matchMedia('(forced-colors: active)').matches
  );
}
