"""Files of recordings and labels: on disk, in zips, and by path patterns."""

import io
import lzma
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lifelog.windows.layout import BadInput, is_hidden

MAX_MEMBER = 2**29  # bytes of a file in a zip: two weeks of the fastest E4 file
# What a damaged or encrypted zip may raise.
UNREADABLE = (OSError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, EOFError, KeyError, ValueError)


@dataclass(frozen=True)
class RawFile:
    """A file on disk, or in a zip."""

    path: Path
    member: str | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.member}" if self.member else str(self.path)

    def head(self, count: int) -> tuple[bytes, int]:
        """Return the first bytes of the file and its size, without unpacking the rest of a zip."""
        try:
            if self.member is None:
                with self.path.open("rb") as file:
                    return file.read(count), self.path.stat().st_size
            with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as member:
                return member.read(count), archive.getinfo(self.member).file_size
        except UNREADABLE as error:
            raise BadInput("unreadable file", f"{self}: {error}") from None

    def open(self) -> BinaryIO:
        """Open the file for reading bytes; raise BadInput if it is missing or unusable."""
        try:
            if self.member is None:
                return self.path.open("rb")
            with zipfile.ZipFile(self.path) as archive:
                if archive.getinfo(self.member).file_size > MAX_MEMBER:
                    raise BadInput("file too large", f"{self}: more than {MAX_MEMBER} bytes")
                return io.BytesIO(archive.read(self.member))
        except FileNotFoundError:
            raise BadInput("no file", str(self)) from None
        except BadInput:
            raise
        except UNREADABLE as error:
            raise BadInput("unreadable file", f"{self}: {error}") from None


def matching_files(root: Path, pattern: str, **fixed: str) -> list[tuple[Path, str | None, dict[str, str]]]:
    """Return the files below `root` that match a path pattern, with the user and other names in the path.

    Hidden files and folders are skipped.
    """
    for name, value in fixed.items():
        pattern = pattern.replace(f"{{{name}}}", value)
    if not set("{*") & set(pattern):
        path = root / pattern
        return [(path, None, {})] if path.exists() else []
    regex = _regex(pattern)
    matching = []
    # Neighbouring names, such as {source}{user}, are one star: two stand for folders.
    parts = [re.sub(r"\{\w+\}", "*", part) for part in pattern.split("/")]
    wanted = "/".join(part if part == "**" else re.sub(r"\*+", "*", part) for part in parts)
    for path in sorted(root.glob(wanted)):
        relative = path.relative_to(root)
        match = regex.fullmatch(relative.as_posix())
        if match and not any(is_hidden(part) for part in relative.parts):
            names = match.groupdict()
            matching.append((path, names.pop("user", None), names))
    return matching


def matching_members(root: Path, pattern: str) -> list[tuple[RawFile, str | None, dict[str, str]]]:
    """Return the files in zips below `root` that match a path pattern with `**`, with the names in the path."""
    if "**" not in pattern:
        return []
    regex = _regex(pattern)
    matching = []
    for path in sorted(root.rglob("*.zip")):
        folder = path.relative_to(root)
        for file in members(path):
            inside = folder / (file.member or "")
            match = regex.fullmatch(inside.as_posix())
            if match and not any(is_hidden(part) for part in inside.parts):
                names = match.groupdict()
                matching.append((file, names.pop("user", None), names))
    return matching


def members(path: Path) -> list[RawFile]:
    """Return the files in a zip; none if it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [RawFile(path, name) for name in archive.namelist()]
    except (OSError, zipfile.BadZipFile):
        return []


def _regex(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a path pattern, with a group per name in braces."""
    parts = re.split(r"(\{\w+\})", pattern)
    seen: set[str] = set()
    regex = ""
    for part in parts:
        name = part.strip("{}")
        if part.startswith("{"):
            regex += f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+?)"
            seen.add(name)
        else:
            regex += re.escape(part).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
    return re.compile(regex)
