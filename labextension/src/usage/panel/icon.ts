import { LabIcon } from '@jupyterlab/ui-components';

/** A chart against its limit, in the colours of the theme. */
export const usageIcon = new LabIcon({
  name: 'jupyter-einfra:usage',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
  <g class="jp-icon3 jp-icon-selectable" fill="#616161">
    <path d="M1 2h2v1H1zM4.5 2h2v1h-2zM8 2h2v1H8zM11.500 2h2v1h-2z"/>
    <path d="M1 14v-3.500l3-2.500 2.500 2L10.500 5 14 7.500V14z"/>
  </g>
</svg>`
});
