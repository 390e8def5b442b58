"""The pages that links in mails lead to where no other is set (`MINOS_LINK_URL`): they show a form, and a click on it sends a POST.

The token is in the fragment, which no browser sends to anybody; the script takes it out of the address at once.
"""

from pathlib import Path

from litestar import Controller, Response, get

from api.docs_page import STYLE

_SCRIPT = (Path(__file__).parent / "account_page.js").read_bytes()
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_HEADERS = {"Cache-Control": "no-store", "Content-Security-Policy": _POLICY}
_ASSET = {"Cache-Control": "public, max-age=300"}
_CHOICE = '<p><label>New password <input name="password" type="password" autocomplete="new-password" required></label></p>'
_ASKED = '<p><label>What you were shown when you asked <input name="registration" autocomplete="one-time-code" required></label></p>'
_FACTOR = (
    '<p data-factor hidden><label>Code of your application, or a recovery code <input name="code" autocomplete="one-time-code"></label>'
    "<span data-passkey hidden> or leave it empty to use a passkey</span></p>"
)
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><link rel="stylesheet" href="/account/page.css"><script src="/account/page.js" defer></script></head>
<body><h1>{title}</h1>
<form data-call="{call}" data-done="{done}" data-check="{check}">{fields}<p><button>{button}</button></p></form><p role="status"></p>
<noscript>This page needs JavaScript to keep the link's secret out of addresses and logs.</noscript></body></html>
"""


class AccountPages(Controller):
    path = "/account"
    include_in_schema = False

    @get("/verify", operation_id="showVerify", summary="A page to prove an address")
    async def verify(self) -> Response[bytes]:
        done = "Your address is proved. You can sign in with the new password."
        return _page("Prove your address", "/api/v1/auth/email/verify", done, _CHOICE, "Prove it and set this password")

    @get("/confirm", operation_id="showConfirm", summary="A page to prove the address of an account one was given")
    async def confirm(self) -> Response[bytes]:
        return _page("Prove your address", "/api/v1/auth/email/verify", "Your address is proved.", "", "Prove it")

    @get("/reset", operation_id="showReset", summary="A page to choose a new password")
    async def reset(self) -> Response[bytes]:
        done = "The new password is set. Every session has been ended."
        call = "/api/v1/auth/password/reset"
        return _page("Choose a new password", call, done, _CHOICE + _FACTOR, "Set this password", check=f"{call}/check")

    @get("/invite", operation_id="showInvite", summary="A page to accept an invitation")
    async def invite(self) -> Response[bytes]:
        done = "Your account is open. You can sign in with this address and the password."
        fields = _CHOICE.replace('name="password"', 'name="password" data-field="password"')
        return _page("Open your account", "/api/v1/auth/invitations/accept", done, fields, "Open it with this password")

    @get("/change", operation_id="showChange", summary="A page to confirm a new address")
    async def change(self) -> Response[bytes]:
        return _page("Your new address", "/api/v1/auth/email/verify", "This is the address of your account now.", _ASKED, "Confirm it")

    @get("/undo", operation_id="showUndo", summary="A page to take a change of address back")
    async def undo(self) -> Response[bytes]:
        done = "Your account has its earlier address again, and the new password. Every session has been ended."
        call = "/api/v1/auth/email/undo"
        return _page("Take the change back", call, done, _CHOICE + _FACTOR, "Take it back", check=f"{call}/check")

    @get("/page.js", operation_id="readAccountScript", summary="What sends the form")
    async def script(self) -> Response[bytes]:
        return Response(_SCRIPT, headers=_ASSET, media_type="text/javascript")

    @get("/page.css", operation_id="readAccountStyle", summary="How the pages look")
    async def style(self) -> Response[bytes]:
        return Response(STYLE.encode(), headers=_ASSET, media_type="text/css")


def _page(title: str, call: str, done: str, fields: str, button: str, *, check: str = "") -> Response[bytes]:
    text = _PAGE.format(title=title, call=call, done=done, fields=fields, button=button, check=check)
    return Response(text.encode(), headers=_HEADERS, media_type="text/html")
