import { LabIcon } from '@jupyterlab/ui-components';

const make = (name: string, path: string): LabIcon =>
  new LabIcon({
    name: `jupyter-einfra:${name}`,
    svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
  <path class="jp-icon3 jp-icon-selectable" fill="#616161" fill-rule="evenodd" d="${path}"/>
</svg>`
  });

/** A clock whose hand goes back. */
export const activityIcon = make(
  'activity',
  'M8.500 2a6 6 0 1 1-5.800 7.500h1.600A4.500 4.500 0 1 0 5 5.100L6.500 6.500H2V2l1.900 2A6 6 0 0 1 8.500 2zM8 5h1.300v2.900l2.200 1.300-.7 1.100L8 8.700z'
);

/** A bell. */
export const bellIcon = make(
  'bell',
  'M8 1.500a1 1 0 0 1 1 1v.200a4 4 0 0 1 3 3.800v3.300l1.300 1.700v.500H2.700v-.500L4 9.800V6.500a4 4 0 0 1 3-3.800v-.200a1 1 0 0 1 1-1zM8 4a2.500 2.500 0 0 0-2.500 2.500v3.800l-.2.200h5.400l-.2-.200V6.500A2.500 2.500 0 0 0 8 4zM6.500 13h3a1.500 1.500 0 0 1-3 0z'
);
