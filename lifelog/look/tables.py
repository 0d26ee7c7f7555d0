"""find_tables: the tables of a folder, as groups of files."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from lifelog.look.folder import Group, group_files
from lifelog.look.roles import Found, understand
from lifelog.windows.layout import BadInput

COPY = re.compile(r"(?i)[ _-]*(\(\d+\)|[-_ (]*\b(kopie|copy|backup|old|alt)\b\)?)(?=\.)")


def find_tables(root: Path, tables: list[str], codes: set[str]) -> tuple[list[Found], dict[str, str]]:
    """Return the tables, and the cause of those that cannot be used; grouped again by the codes that columns have.

    Parameters
    ----------
    root : Path
        The folder.
    tables : list of str
        Paths of tables below it.
    codes : set of str
        Participants that are known from other files.

    Returns
    -------
    found : list of Found
        The tables.
    unused : dict of str to str
        By pattern, the cause.
    """
    for _ in range(2):
        found, unused = list[Found](), dict[str, str]()
        groups = [part for group in group_files(tables, codes) for part in _by_header(group, root)]
        known = codes | {user for group in groups for user in group.users if user}
        for group in groups:
            try:
                found.append(understand(group, root, known))
            except BadInput as problem:
                unused[group.pattern] = problem.detail.removeprefix(f"{root}/")
        of_columns = {code for one in found if one.user for code in one.codes}
        if of_columns <= codes:
            break
        codes = codes | of_columns
    return _without_copies(list(_parts_joined(found)), unused), unused


def _by_header(group: Group, root: Path) -> Iterator[Group]:
    """Yield the files of a pattern with `**`, folder by folder if these have other columns."""
    if not group.levels or not group.pattern.lower().endswith((".csv", ".tsv", ".txt")):
        yield group
        return
    place, by_folder = group.pattern.split("/").index("**"), dict[str, list[int]]()
    for number, path in enumerate(group.paths):
        by_folder.setdefault("/".join(path.split("/")[place:-1]), []).append(number)
    headers = set()
    for numbers in by_folder.values():
        with (root / group.paths[numbers[0]]).open("rb") as file:
            headers.add(file.readline(4096))
    if len(headers) == 1:
        yield group
        return
    for folder, numbers in by_folder.items():
        paths, users = [group.paths[n] for n in numbers], [group.users[n] for n in numbers]
        yield Group(group.pattern.replace("**", folder), paths, users)


def _without_copies(found: list[Found], unused: dict[str, str]) -> list[Found]:
    """Return tables without copies of another one, and without those whose names differ only in capital letters."""
    names = {one.group.pattern for one in found}
    for one in found:
        twins = [name for name in names if name.lower() == one.group.pattern.lower()]
        if one.group.pattern != max(twins):
            unused[one.group.pattern] = f"as {max(twins)} but for capital letters: rename the files"
        original = COPY.sub("", one.group.pattern)
        if original != one.group.pattern and original in names:
            unused[one.group.pattern] = f"a copy of {original}?"
    return [one for one in found if one.group.pattern not in unused]


def _parts_joined(found: list[Found]) -> Iterator[Found]:
    """Yield tables; those that differ only in numbers and follow each other in time are the parts of one."""
    alike: dict[tuple[Any, ...], list[Found]] = {}
    for one in found:
        folder, _, name = one.group.pattern.rpartition("/")
        pattern = "/".join(filter(None, [folder, re.sub(r"(?<=[_. -])\d+(?=[_. -])", "*", name)]))
        alike.setdefault((pattern, one.role, one.time, one.user, *one.table.frame), []).append(one)
    for (pattern, *_), some in alike.items():
        spans = sorted(one.table.span(one.time) for one in some)
        if len(some) == 1 or any(first[1] > second[0] for first, second in pairwise(spans)):
            yield from some
            continue
        paths, users = [p for one in some for p in one.group.paths], [u for one in some for u in one.group.users]
        yield replace(some[0], group=Group(pattern, paths, users, some[0].group.levels))
