"""The base class of all settings."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$")]

S = TypeVar("S", bound="Section")


class Section(BaseModel):
    """A group of configuration keys. Unknown keys are refused, values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    renamed: ClassVar[dict[str, str]] = {}  # former key: present key, for error messages
    removed: ClassVar[dict[str, str]] = {}  # former key: why it is not needed
    renamed_values: ClassVar[dict[str, dict[str, str]]] = {}  # by key, former value: present value

    def narrow(self, model: type[S]) -> S:
        """Return the keys that `model`, a base class of this section, declares.

        A stage depends on the narrowest model that it needs, so that a change of another key does not rerun it.
        """
        return model(**{name: getattr(self, name) for name in model.model_fields})

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        """Rebuild a section from the params of a job. Raises ValueError unless every key is given."""
        return complete(cls.model_validate(dict(params)), params)


def complete(section: S, params: Mapping[str, Any]) -> S:
    """Return `section` if `params` holds all of its keys; a missing key would silently become its default."""
    missing = sorted(set(section.model_dump()) - set(params))
    if missing:
        raise ValueError(f"{type(section).__name__}: incomplete params, without {', '.join(missing)}")
    return section


def etri_settings(key: str) -> list[dict[str, Any]]:
    """Return the modalities or the targets of the ETRI lifelog data, which are the defaults."""
    return json.loads(Path(__file__).with_name("etri.json").read_text(encoding="utf-8"))[key]
