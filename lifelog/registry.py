"""Registries: named choices of the configuration and the code behind each of them."""

import difflib
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return a question with the most similar known name, or `otherwise` if none is similar."""
    near = difflib.get_close_matches(name, list(known), 1)
    return f"did you mean {near[0]!r}?" if near else otherwise


class UnknownName(ValueError):
    """A name that a registry does not hold; the message lists the known names."""


class Registry(dict[str, T]):
    """A dictionary of named implementations that raises `UnknownName` for a name that it does not hold."""

    def __init__(self, kind: str, entries: dict[str, T]) -> None:
        super().__init__(entries)
        self.kind = kind

    def __missing__(self, name: str) -> T:
        raise UnknownName(self.unknown(name, list(self)))

    def unknown(self, name: str, known: list[str]) -> str:
        """Return the message for an unknown name."""
        hint = did_you_mean(str(name), known, "known: " + ", ".join(known))
        return f"unknown {self.kind} {name!r}; {hint}"
