import { replyError, networkError } from '../../api/errors';
import type { ICoded } from '../../api/describe';
import { Format } from '../../api/format';
import { followTheme, isFramed, languages } from './around';
import { Chooser, type IChoice } from './chooser';
import { LaunchController } from './controller';
import { linksOf } from './elements';
import { launchForGuest, type Instance } from './model';
import { DATA_ID, type IChosen } from './page';
import { LaunchView } from './view';
import { PageWords, type Catalogue } from './words';

/** What the server wrote into the page. */
interface IPageData {
  readonly kind: 'launch' | 'left' | 'guest' | 'choose';
  readonly name: string;
  readonly title: string;
  readonly icon: string;
  readonly instance: Instance | null;
  readonly elapsed_seconds: number | null;
  readonly error: ICoded | null;
  readonly from_elsewhere: boolean;
  readonly choices: readonly IChoice[];
  readonly base: string;
  readonly url: string | null;
  readonly kept_in: string | null;
  readonly api: string;
  readonly root: string | null;
  readonly lab: string;
  readonly hub: string | null;
  readonly xsrf: string;
  readonly catalogues: Readonly<Record<string, Catalogue>>;
}

const data = JSON.parse(document.getElementById(DATA_ID)?.textContent ?? '{}') as IPageData;

async function request(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(data.api + path, {
      cache: 'no-cache',
      ...init,
      headers: {
        'Content-Type': 'application/json',
        // JupyterHub wants it with GET, too.
        'X-XSRFToken': data.xsrf,
        ...(init.headers as Record<string, string> | undefined)
      }
    });
  } catch (error) {
    throw networkError(error);
  }
  if (!response.ok) {
    throw await replyError(response);
  }
  return response;
}

const trans = new PageWords(data.catalogues, languages());
const links = linksOf(data, trans);

document.documentElement.lang = trans.getLocale();
followTheme();
const main = document.getElementById('einfra-main');
if (data.instance) {
  const isLeft = data.kind === 'left';
  const controller = new LaunchController({
    instance: data.instance,
    elapsed: data.elapsed_seconds,
    error: data.error,
    fromElsewhere: data.from_elsewhere,
    purpose: isLeft ? 'left' : 'launch',
    keptIn: data.kept_in,
    icon: data.icon,
    links,
    trans,
    format: new Format(trans, trans.getLocale()),
    request,
    onReady: () => {
      if (isLeft && data.url !== null) {
        window.location.replace(data.url);
      } else {
        window.location.reload();
      }
    },
    onHeading: heading => {
      document.title = heading;
    }
  });
  main?.append(controller.view.node);
} else if (data.kind === 'guest') {
  const { icon, title } = data;
  const view = new LaunchView({
    icon,
    trans,
    links,
    label: String,
    onAct: () => undefined
  });
  view.show(launchForGuest(title, trans));
  main?.append(view.node);
} else {
  const chooser = new Chooser({
    app: data.name,
    title: data.title,
    icon: data.icon,
    choices: data.choices,
    folder: new URLSearchParams(window.location.search).get('folder') ?? '',
    root: data.root,
    base: data.base,
    links,
    trans,
    request,
    onChosen: (id, title) => {
      // Lab gives the folder a tab of its own; whoever else is around lets the page go there.
      const message: IChosen = { type: 'einfra-apps:chosen', id, title };
      if (isFramed()) {
        window.parent.postMessage(message, window.location.origin);
      }
    },
    go: url => {
      window.location.assign(url);
    }
  });
  main?.append(chooser.node);
  chooser.focus();
}
