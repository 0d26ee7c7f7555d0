"""The files of a folder, by path patterns with {user}."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from lifelog.windows.layout import is_hidden

MOST_FILES = 200_000
DEEPEST = 8
NUMBERS = re.compile(r"\d[\d_.:T+ -]*")
FEWEST_DIGITS = 6  # of the number of a part: a date or a time, and not the number of a sensor
FEWEST_PARTS = 2  # more files that differ only in dates or times are the parts of one recording
TOKEN = re.compile(r"[_\-. ]")


@dataclass(frozen=True)
class Group:
    """Files with one pattern.

    Attributes
    ----------
    pattern : str
        Such as `{user}/hr.csv`, or `{user}/**/hr.csv`.
    paths : list of str
        The paths below the root.
    users : list of str or None
        The user of each; None if the path names none.
    levels : list of list of str
        The names of each level of folders that `**` stands for.
    """

    pattern: str
    paths: list[str]
    users: list[str | None]
    levels: list[list[str]] = field(default_factory=list)


def list_files(root: Path) -> list[str]:
    """Return the paths of files below a folder, without hidden ones."""
    found: list[str] = []
    for folder, names, files in os.walk(root):
        inside = Path(folder).relative_to(root)
        names[:] = sorted(name for name in names if not is_hidden(name)) if len(inside.parts) < DEEPEST else []
        found += [(inside / name).as_posix() for name in sorted(files) if not is_hidden(name)]
        if len(found) > MOST_FILES:
            break
    return sorted(found)


def group_files(paths: Iterable[str], codes: set[str]) -> list[Group]:
    """Return files by pattern.

    Parameters
    ----------
    paths : iterable of str
        Paths below the root.
    codes : set of str
        Codes of participants that tables have; may be empty.

    Returns
    -------
    list of Group
        A folder level or a part of file names that differs between otherwise equal paths is `{user}`.
    """
    paths = list(paths)
    level = _level_of_users(paths, codes)
    patterns: dict[str, list[tuple[str, str | None]]] = {}
    prefix = ""
    if level is not None:
        names = {parts[level] for path in paths if len(parts := path.split("/")) > level + 1}
        prefix = _prefix(names, codes)
        codes = codes | {name.removeprefix(prefix) for name in names}
    by_name = _users_in_names([path for path in paths if level is None or path.count("/") <= level], codes)
    for path in paths:
        parts, user = path.split("/"), None
        pattern, user = by_name.get(path, (path, None))
        if level is not None and len(parts) > level + 1:
            user, parts[level] = parts[level].removeprefix(prefix), f"{prefix}{{user}}"
            pattern = "/".join(parts)
        patterns.setdefault(pattern, []).append((path, user))
    patterns = _parts_joined(patterns)
    groups = [Group(name, [path for path, _ in found], [user for _, user in found]) for name, found in patterns.items()]
    return list(_joined(groups))


def _prefix(names: set[str], codes: set[str]) -> str:
    """Return what stands before the codes in the names of folders, such as P0 in P01 and P02 for the codes 1 and 2."""
    first = min(names)
    beginnings = [first[:length] for length in range(1, len(first)) if not names & codes]
    common = (start for start in beginnings if all(name.startswith(start) for name in names))
    return next((start for start in common if {name.removeprefix(start) for name in names} <= codes), "")


def _parts_joined(patterns: dict[str, list[tuple[str, str | None]]]) -> dict[str, list[tuple[str, str | None]]]:
    """Return patterns in which dates and times are `*`, where files differ in nothing else."""
    joined: dict[str, list[str]] = {}
    for pattern in patterns:
        folder, _, name = pattern.rpartition("/")
        stem, dot, suffix = name.rpartition(".")
        numbered = "{user}".join(NUMBERS.sub(_star, part) for part in stem.split("{user}"))
        joined.setdefault("/".join(filter(None, [folder, numbered + dot + suffix])), []).append(pattern)
    parts: dict[str, list[tuple[str, str | None]]] = {}
    for common, some in joined.items():
        for pattern in some:
            parts.setdefault(common if len(some) > FEWEST_PARTS else pattern, []).extend(patterns[pattern])
    return parts


def _star(number: re.Match[str]) -> str:
    return "*" if sum(map(str.isdigit, number[0])) >= FEWEST_DIGITS else number[0]


def _joined(groups: list[Group]) -> Iterator[Group]:
    """Yield groups; those that differ only in folders below the user are one, with `**` and the names of folders."""
    alike: dict[tuple[str, str], list[Group]] = {}
    for group in groups:
        before, user, after = group.pattern.rpartition("{user}/")
        alike.setdefault((before + user, after.rpartition("/")[2]), []).append(group)
    for (before, name), some in alike.items():
        # Folders whose files have only dates as names are sensors.
        if len(some) == 1 or not before or not any(map(str.isalpha, name.rpartition(".")[0])):
            yield from some
            continue
        paths, users = [path for group in some for path in group.paths], [u for group in some for u in group.users]
        inside = [group.pattern.removeprefix(before).split("/")[:-1] for group in some]
        same = {len(names) for names in inside}
        levels = [list(dict.fromkeys(names)) for names in zip(*inside, strict=True)] if len(same) == 1 else []
        yield Group(f"{before}**/{name}", paths, users, levels)


def _level_of_users(paths: list[str], codes: set[str]) -> int | None:
    """Return the level of folders that are participants, or None."""
    best: tuple[float, float, int] | None = None
    for level in range(max((path.count("/") for path in paths), default=0)):
        others: dict[str, set[str]] = {}
        for path in paths:
            parts = path.split("/")
            if len(parts) > level + 1:
                others.setdefault("/".join([*parts[:level], "*", *parts[level + 1 :]]), set()).add(parts[level])
        shared = {name for names in others.values() if len(names) > 1 for name in names}
        if len(shared) > 1:
            known = sum(name in codes for name in shared) / len(shared)
            digits = sum(any(map(str.isdigit, name)) for name in shared) / len(shared)
            score = (known, digits, -level)
            best = max(best, score) if best else score
    return -best[2] if best else None


def _users_in_names(paths: list[str], codes: set[str]) -> dict[str, tuple[str, str]]:
    """Return pattern and user of the files that name a participant, such as P01_hr.csv."""
    found = {}
    alike: dict[tuple[str, str, int], list[str]] = {}
    for path in paths:
        pure = PurePosixPath(path)
        alike.setdefault((str(pure.parent), pure.suffix, len(TOKEN.split(pure.name))), []).append(path)
    for files in alike.values():
        tokens = [TOKEN.split(PurePosixPath(path).name) for path in files]
        for place in range(len(tokens[0]) - 1):
            here = [words[place] for words in tokens]
            same = [len(set(letters)) == 1 for letters in zip(*here, strict=False)]
            prefix = here[0][: [*same, False].index(False)].rstrip("0123456789")
            prefix = _prefix(set(here), codes) or prefix
            values = [word[len(prefix) :] if codes and word not in codes else word for word in here]
            if len(set(here)) < 2 or not (
                set(values) <= codes if codes else all(any(map(str.isdigit, w)) for w in here)
            ):
                continue
            for path, word, user in zip(files, here, values, strict=True):
                pure = PurePosixPath(path)
                name = pure.name.replace(word, word[: len(word) - len(user)] + "{user}", 1)
                found[path] = ((pure.parent / name).as_posix(), user)
            break
    return found


def commonest(values: Iterable[str], count: int) -> list[tuple[str, int]]:
    """Return the commonest values with their counts, in the order of counts and names."""
    return sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))[:count]
