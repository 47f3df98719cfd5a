"""The few pages that the post writes itself: plain HTML without script, under the strictest policy."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from starlette.responses import Response

STYLE = """
:root{color-scheme:light dark}
body{margin:0 auto;max-width:60rem;padding:2rem 1.25rem;font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2.5rem}h3{font-size:1rem;margin:2rem 0 .25rem}
p{margin:.4rem 0}code{font:13px/1.5 ui-monospace,monospace}
table{border-collapse:collapse;margin:.5rem 0;width:100%}
td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-top:1px solid #8885}
textarea,button{font:inherit}textarea{display:block;margin:.25rem 0 .5rem;max-width:100%;width:40rem}
td:first-child,th:first-child{white-space:nowrap;width:1%}
.method{display:inline-block;min-width:4rem}
.scroll{overflow-x:auto}
"""

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def page(title: str, body: str, language: str, status: int = 200) -> Response:
    """A page. title: as text; body: as HTML, whatever came from elsewhere escaped already."""
    text = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    headers = {"Content-Security-Policy": POLICY, "Vary": "Accept-Language"}
    return Response(text, status, headers, "text/html; charset=utf-8")
