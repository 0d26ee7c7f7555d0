"""The literature: as text, and as BibTeX."""

from collections.abc import Iterable
from typing import NamedTuple

from lifelog.report.page import read_texts

IN = ("journal", "booktitle")


class Reference(NamedTuple):
    """A publication: its key, and the fields of BibTeX with its type."""

    key: str
    fields: dict[str, str]

    @property
    def text(self) -> str:
        """Authors (year). Title. Where it was published."""
        people = [name.split(",")[0] for name in self.fields["author"].split(" and ")]
        people = [*people[:2], "et al."] if len(people) > 3 or people[-1] == "others" else people
        place = next(self.fields[field] for field in IN if field in self.fields)
        place += f" {self.fields['volume']}" if "volume" in self.fields else ""
        place += f", {self.fields['pages'].replace('--', '-')}" if "pages" in self.fields else ""
        return f"{', '.join(people)} ({self.fields['year']}). {self.fields['title']}. {place}."

    @property
    def bibtex(self) -> str:
        """The entry; the title keeps its capital letters."""
        fields = {name: value for name, value in self.fields.items() if name != "type"}
        fields["title"] = f"{{{fields['title']}}}"
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
        return "\n".join([f"@{self.fields['type']}{{{self.key},", *lines, "}", ""])


def read_references(keys: Iterable[str]) -> list[Reference]:
    """Return the publications of some keys of `page/references.yaml`, each once, by author and year."""
    texts = read_texts("references.yaml")
    return [Reference(key, {k: str(v) for k, v in texts[key].items()}) for key in sorted(set(keys))]
