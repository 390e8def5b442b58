"""Whoever folds any stream finds out how."""

from importlib import import_module
from pathlib import Path

import domain
from domain.decider import Decider
from domain.deciders import BY_CATEGORY, decider_of


def test_every_decider_is_found_by_the_name_of_a_stream() -> None:
    modules = (import_module(f"domain.{path.stem}") for path in Path(domain.__file__).parent.glob("*.py"))
    deciders = [found for module in modules if isinstance(found := getattr(module, "decider", None), Decider)]
    assert {of.category for of in deciders} == BY_CATEGORY.keys()
    assert all(decider_of(f"{of.category}-0192f0c1") is of and decider_of(of.category) is of for of in deciders)


def test_a_stream_of_no_category_folds_to_nothing() -> None:
    assert decider_of("weather-1") is None
