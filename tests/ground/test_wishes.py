"""Arguments that are not of the form asked for: what they may be is said in words."""

import msgspec
import pytest

from cli.command import NotAccepted
from cli.wishes import AUDIENCE, CLIENT, KEY, PERMISSION, ROLE, wish
from commands.audiences import ChangeAudience, DefineAudience
from commands.define_role import ChangeRolePermissions, DefineRole, RetireRole
from commands.signing_keys import RevokeSigningKey


@pytest.mark.parametrize(
    ("into", "given", "said", "may_be"),
    [
        (DefineRole, {"name": "Bad Name", "permissions": []}, "'Bad Name'", ROLE),
        (ChangeRolePermissions, {"role": "-x", "permissions": ["a"]}, "'-x'", ROLE),
        (RetireRole, {"role": ""}, "''", ROLE),
        (DefineRole, {"name": "good", "permissions": ["a.b", "c..d"]}, "'c..d'", PERMISSION),
        (DefineAudience, {"name": "Bad Name"}, "'Bad Name'", AUDIENCE),
        (DefineAudience, {"name": "good", "roles": ["B d"]}, "'B d'", ROLE),
        (ChangeAudience, {"audience": "good", "rules": {"permissions": ["a", "B"]}}, "'B'", PERMISSION),
        (ChangeAudience, {"audience": "good", "rules": {"clients": ["B d"]}}, "'B d'", CLIENT),
        (RevokeSigningKey, {"kid": "nosuch", "reason": "compromised"}, "'nosuch'", KEY),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_name_of_another_form_is_shown_with_what_it_may_be(
    into: type[msgspec.Struct], given: dict[str, object], said: str, may_be: str
) -> None:
    with pytest.raises(NotAccepted) as refused:
        wish(into, **given)
    assert str(refused.value) == f"not accepted: {said}; {may_be}"


def test_what_fits_is_made() -> None:
    assert wish(DefineRole, name="good", permissions=["a.*"]).name == "good"


def test_other_faults_keep_their_own_words() -> None:
    with pytest.raises(msgspec.ValidationError, match="length <= 128"):
        wish(DefineRole, name="good", permissions=["a" * 129])
