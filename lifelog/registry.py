"""Registries: named choices of the configuration and the code behind each of them."""

import difflib
from typing import TypeVar

T = TypeVar("T")


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
        near = difflib.get_close_matches(str(name), known, 1)
        hint = f"did you mean {near[0]!r}?" if near else "known: " + ", ".join(known)
        return f"unknown {self.kind} {name!r}; {hint}"
