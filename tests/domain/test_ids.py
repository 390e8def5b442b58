"""Names have the shape they say, to the last character."""

import msgspec
import pytest

from domain.ids import AudienceSlug, ClientSlug, KidText, RoleSlug
from tests.domain.examples import KID


@pytest.mark.parametrize("slug", [RoleSlug, AudienceSlug, ClientSlug], ids=["role", "audience", "client"])
@pytest.mark.parametrize("text", ["admin\n", "Admin", "", "-a", "_a", "a.b", "a" * 65, "а", "a/b", "a\x00"])
def test_what_is_no_slug_is_not_read_as_one(slug: type, text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, slug)


def test_a_newline_at_the_end_makes_no_second_spelling_of_a_key_id() -> None:
    assert msgspec.convert(KID, KidText) == KID
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(f"{KID}\n", KidText)
