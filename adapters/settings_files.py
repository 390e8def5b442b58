"""Files that settings name, looked into when the settings are read: what is wrong in one is said then, and not when it is used."""

from collections.abc import Iterator

from adapters import attributes_file, log_policy
from adapters.limits import policy_file
from adapters.nats_credentials import BadCredentials, proof
from adapters.settings import Settings


def about_limits(settings: Settings) -> Iterator[str]:
    try:
        policy_file.load(settings.limits_file)
    except policy_file.BadLimits as error:
        yield from error.problems


def about_attributes(settings: Settings) -> Iterator[str]:
    try:
        attributes_file.load(settings.attributes_file)
    except attributes_file.BadAttributes as error:
        yield from error.problems


def about_log_policy(settings: Settings) -> Iterator[str]:
    try:
        log_policy.load(settings.log_policy)
    except log_policy.BadLogPolicy as error:
        yield str(error)


def about_nats_credentials(settings: Settings) -> Iterator[str]:
    try:
        proof(settings.nats_credentials)
    except BadCredentials as error:
        yield str(error)
