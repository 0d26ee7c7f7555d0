"""Raw recordings of a user → one row a labelled window, and one row for everything that was not used and why."""

from __future__ import annotations

import difflib
from pathlib import Path

from lifelog.config import Config
from lifelog.windows import empatica, etri
from lifelog.windows.layout import BadInput, Layout
from lifelog.windows.simulated import people, truth_path

# The simulated cohort is written in the ETRI layout, so that it goes the way of real data.
LAYOUTS: dict[str, Layout] = {"etri": etri, "empatica": empatica, "simulated": etri}


def find_users(config: Config) -> dict[str, Path]:
    """Users of the cohort with their raw folders, as `cohort.users` asks. Raises BadInput where there are none."""
    cohort, root = config.cohort, Path(config.cohort.root)
    if cohort.layout == "simulated":
        # Snakemake clears the folders that a rule writes: never point it at somebody's recordings.
        if root.is_dir() and any(root.iterdir()) and not truth_path(root).exists():
            raise BadInput(
                "cohort.root",
                f"{str(root)!r} holds something else than a simulated cohort; give the layout "
                "of the recordings too (cohort.layout), or another root",
            )
        found = {person.name: root / person.name for person in people(config.simulation)}
    elif not root.is_dir():
        raise BadInput("cohort.root", f"there is no folder {str(root)!r}; give the folder of the raw recordings")
    else:
        found = LAYOUTS[cohort.layout].find_users(root, cohort)
    if not found:
        raise BadInput(
            "cohort.root", f"no user folder in {str(root)!r} in the layout {cohort.layout!r} (docs/own-data.md)"
        )
    if cohort.users == "all":
        return found
    for user in cohort.users:
        if user not in found:
            near = difflib.get_close_matches(user, found, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(list(found)[:20])}"
            raise BadInput("cohort.users", f"no user {user!r} in {str(root)!r}; {hint}")
    return {user: found[user] for user in cohort.users}
