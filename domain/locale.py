"""In which language somebody is written to: each has its letters in `workers/mailer/wording`."""

from enum import StrEnum


class Locale(StrEnum):
    """BCP 47."""

    EN = "en"
    DE = "de"
