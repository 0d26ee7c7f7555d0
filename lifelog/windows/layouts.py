"""The layouts of raw recordings, and the users of a cohort."""

from __future__ import annotations

import difflib
from pathlib import Path

from lifelog.registry import Registry
from lifelog.settings.windows import Cohort, Simulation
from lifelog.windows import empatica, etri
from lifelog.windows.layout import BadInput, Layout
from lifelog.windows.simulated import participants, truth_path

# The simulated cohort is written in the ETRI layout, so that it passes through the same code as real data.
LAYOUTS: Registry[Layout] = Registry("layout", {"etri": etri, "empatica": empatica, "simulated": etri})


def find_users(cohort: Cohort, simulation: Simulation) -> dict[str, Path]:
    """Return the users of a cohort and the folders of their recordings.

    Parameters
    ----------
    cohort : Cohort
        Layout, root folder, and the users to return.
    simulation : Simulation
        The simulated cohort, whose folders need not exist yet.

    Returns
    -------
    dict of str to Path
        Folder by user, in the order of `cohort.users`, or by name for `all`.

    Raises
    ------
    BadInput
        If the root folder is unusable, or a user is not found.
    """
    root = Path(cohort.root)
    if cohort.layout == "simulated":
        # Snakemake clears the output folders of a rule: real recordings must never be among them.
        if root.is_dir() and any(root.iterdir()) and not truth_path(root).exists():
            remedy = "set cohort.layout to the layout of the recordings, or choose another root"
            raise BadInput("cohort.root", f"{str(root)!r} holds files that are not a simulated cohort; {remedy}")
        users = {participant.name: root / participant.name for participant in participants(simulation)}
    elif not root.is_dir():
        raise BadInput("cohort.root", f"there is no folder {str(root)!r}; set it to the folder of the raw recordings")
    else:
        users = LAYOUTS[cohort.layout].find_users(root, cohort)
    if not users:
        detail = f"no user folder in {str(root)!r} for the layout {cohort.layout!r} (docs/own-data.md)"
        raise BadInput("cohort.root", detail)
    if cohort.users == "all":
        return users
    for user in cohort.users:
        if user not in users:
            near = difflib.get_close_matches(user, users, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known users: {', '.join(list(users)[:20])}"
            raise BadInput("cohort.users", f"no user {user!r} in {str(root)!r}; {hint}")
    return {user: users[user] for user in cohort.users}
