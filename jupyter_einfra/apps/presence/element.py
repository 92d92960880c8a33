"""The script that tells of a person's use of an application, and how a page has it.

It reports to ``used`` beside its own address. A page with a content-security policy needs
``script-src 'self'`` and ``connect-src 'self'`` for it, or the nonce that it is given.

Pure: standard library only.
"""

from __future__ import annotations

import html

#: Its address, and that of its reports, below our own namespace.
SCRIPT, REPORTS = "apps/presence.js", "apps/used"


def script_element(base_url: str, ident: str, nonce: str = "") -> bytes:
    """Return the element that belongs into a page of an instance.

    Parameters
    ----------
    base_url:
        Of the server; ends with a slash.
    ident:
        Of the instance.
    nonce:
        Of the page's content-security policy, where that asks for one.
    """
    given = f' nonce="{html.escape(nonce)}"' if nonce else ""
    return (
        # Every attribute has a value, so that it is XHTML too.
        f'<script async="async" src="{html.escape(base_url)}jupyter-einfra/{SCRIPT}" '
        f'data-einfra-app="{html.escape(ident)}"{given}></script>'
    ).encode("ascii", "xmlcharrefreplace")
