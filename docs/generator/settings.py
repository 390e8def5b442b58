"""`reference/settings.md`, from the table of settings."""

from adapters.settings_table import PREFIX, SETTINGS, Setting
from docs.generator.markdown import code, document, table

_INTRODUCTION = f"""
Settings are environment variables that begin with `{PREFIX}`. Each but `{PREFIX}ENVIRONMENT` may also be given as
`{PREFIX}<NAME>_FILE`, the path of a file that holds the value; in development a `.env` file in the working folder is read
too. An unknown name under the prefix stops the start, and so does every value out of bounds: all faults are listed at once.
Durations are in seconds, or take one of the suffixes `s`, `m`, `h`, `d`. Lists are separated by commas.

`minos settings` shows what is in force and where each value came from; secrets stay hidden.
"""

_PRODUCTION = """
## What `production` refuses

With `MINOS_ENVIRONMENT=production` the start is refused, with every reason listed, when the issuer is not https, the master
key is missing or weak, the database or the broker would be the embedded one, the API documents are open to anybody, inner
errors are shown, any host name is answered, or anybody may register an address that is never proved.
"""


def page() -> str:
    rows = ([code(s.name), _accepted(s), _default(s), _meaning(s)] for s in SETTINGS)
    return document("Settings", _INTRODUCTION, table(["Name", "Accepts", "Default", "Meaning"], rows), _PRODUCTION)


def _accepted(setting: Setting) -> str:
    if setting.choices:
        return ", ".join(code(choice) for choice in setting.choices)
    if setting.bounds:
        low, high = setting.bounds
        return f"{low} to {high} {setting.unit or ''}".strip()
    if setting.listed:
        return "list"
    return "true, false" if setting.default in {"true", "false"} else "text"


def _default(setting: Setting) -> str:
    return code(setting.default) or "-"


def _meaning(setting: Setting) -> str:
    return setting.doc + (" Secret." if setting.secret else "")
