/** What Lab shows of an application that does not run, and its log: loaded with the first tab. */
export { launchForTab } from './launch/model';
export { LaunchView } from './launch/view';
export { makeLogTab } from './log';
export { makeStrip } from './strip';

import '../../style/launch.css';
