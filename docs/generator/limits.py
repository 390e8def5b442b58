"""`reference/limits.md`, from the policy that ships."""

from adapters.limits.policy import DEFAULT, Kind
from adapters.limits.policy_file import FASTEST, LARGEST, MOST_RATES, load
from docs.generator.markdown import code, document, table

_INTRODUCTION = f"""
How often things may be asked as Minos ships. `120/1m` is a bucket of 120 that fills again within a minute: 120 at once, and on
average no more than two a second; several rates hold together. Operations of one group share its buckets. A file of your own, named
by `MINOS_LIMITS_FILE`, is laid over this: [how to](../how-to/set-limits.md).

A rate is a number and a time in `s`, `m`, `h` or `d`: at most {LARGEST:,} at once, {FASTEST:,} a second and seven days; a kind has
at most {MOST_RATES} of them.
"""

_MEANINGS = {
    Kind.ADDRESS: "one IPv4 address, or one /64 of IPv6",
    Kind.NETWORK: "the /24 or /48 around it",
    Kind.SESSION: "one session of a person, by a token of it that verified or a refresh token that proved genuine",
    Kind.ACCOUNT: "who showed a token or key that verified, or a service account that proved itself; never who is merely named. "
    "What asks for a fresh proof is counted apart, once the proof is there; until then for the session alone, by the same rate",
    Kind.NAME: "one login name as tried from one network, whether or not anybody has it",
}


def page() -> str:
    limits = load(None)
    rates = ([code(each.name), *(_told(each.rates.get(kind, ())) for kind in Kind)] for each in limits.classes.values())
    members = (
        [code(each.name), ", ".join(map(code, each.operations)) or "whatever is in no other group, and addresses where there is nothing"]
        for each in limits.classes.values()
    )
    kinds = ([code(kind), meaning] for kind, meaning in _MEANINGS.items())
    return document(
        "Limits", _INTRODUCTION, table(["Group", *(f"per {kind}" for kind in Kind)], rates),
        "## What is counted", table(["Kind", "Whom it counts"], kinds),
        "## What is in each group", f"`{DEFAULT}` is what nobody chose a group for.", table(["Group", "Operations"], members),
    )  # fmt: skip


def _told(rates: tuple[object, ...]) -> str:
    return ", ".join(code(str(rate)) for rate in rates) or "-"
