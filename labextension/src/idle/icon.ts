import { LabIcon } from '@jupyterlab/ui-components';

/** An hourglass, in the colours of the theme. */
export const idleIcon = new LabIcon({
  name: 'jupyter-einfra:idle',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
  <path class="jp-icon3 jp-icon-selectable" fill="#616161" fill-rule="evenodd" d="M3 1h10v1.500h-1V4.500L9.200 8l2.800 3.500v2h1V15H3v-1.500h1v-2L6.800 8 4 4.500v-2H3zM5.500 2.500V4L8 7l2.500-3V2.500zM8 9l-2.500 3v1.500h5V12z"/>
</svg>`
});
