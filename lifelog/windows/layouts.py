"""The layouts of raw recordings, and the users of a cohort."""

from importlib.metadata import entry_points
from pathlib import Path

from lifelog.registry import Registry, UnknownName, did_you_mean
from lifelog.settings.windows import Cohort, Simulation
from lifelog.windows import e4, embraceplus, etri, tables
from lifelog.windows.layout import BadInput, Layout
from lifelog.windows.simulated import participants, truth_path

# The simulated cohort is written in the ETRI layout, so that it passes through the same code as real data.
BUILT_IN: dict[str, Layout] = {"etri": etri, "e4": e4, "embraceplus": embraceplus, "tables": tables, "simulated": etri}
GROUP = "lifelog.layouts"  # entry points of installed packages


class Layouts(Registry[Layout]):
    """The built-in layouts, and those that installed packages offer; only installed code is ever loaded."""

    def __missing__(self, name: str) -> Layout:
        for entry in entry_points(group=GROUP, name=name):
            self[name] = entry.load()
            return self[name]
        raise UnknownName(self.unknown(name, [*self, *entry_points(group=GROUP).names]))

    def version(self, name: str) -> str:
        """Return name and version of the package of a layout; empty for a built-in one, whose code is tracked."""
        return next((f"{e.dist.name} {e.dist.version}" for e in entry_points(group=GROUP, name=name) if e.dist), "")


LAYOUTS = Layouts("layout", BUILT_IN)


def root_of(cohort: Cohort) -> Path:
    """Return the folder of the recordings; another spelling of the same folder gives the same path."""
    root = Path(cohort.root)
    return root if cohort.is_simulated else root.expanduser().resolve()


def _read_by_yaml(name: str) -> set[str]:
    """Return how YAML reads a name of digits without quotes: 007 as 7, and 010 as 8."""
    octal = {str(int(name, 8))} if name.isdigit() and name.startswith("0") and not set("89") & set(name) else set()
    return octal | ({str(int(name))} if name.isdigit() else set())


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
        If the layout is unknown, the root folder is unusable, or a user is not found.
    """
    root = root_of(cohort)
    try:
        layout = LAYOUTS[cohort.layout]
    except UnknownName as error:
        raise BadInput("cohort.layout", str(error)) from None
    if cohort.is_simulated:
        # Snakemake clears the output folders of a rule: real recordings must never be among them.
        if root.is_dir() and any(root.iterdir()) and not truth_path(root).exists():
            remedy = "set cohort.layout to the layout of the recordings, or choose another root"
            raise BadInput("cohort.root", f"{str(root)!r} holds files that are not a simulated cohort; {remedy}")
        users = {participant.name: root / participant.name for participant in participants(simulation)}
    elif not root.is_dir():
        raise BadInput("cohort.root", f"there is no folder {cohort.root!r}; set it to the folder of the raw recordings")
    else:
        users = layout.find_users(root, cohort)
    if not users:
        detail = f"no user folder in {str(root)!r} for the layout {cohort.layout!r} (docs/own-data.md)"
        raise BadInput("cohort.root", detail)
    for user in cohort.timezones:
        if user not in users:
            raise BadInput(
                "cohort.timezones", "; ".join(filter(None, [f"no user {user!r}", did_you_mean(user, users)]))
            )
    if cohort.users == "all":
        return users
    for user in cohort.users:
        if user not in users:
            quoted = next((name for name in users if user in _read_by_yaml(name)), None)
            if quoted:
                detail = f'YAML reads {quoted} as the number {user}; quote it: users: ["{quoted}"]'
                raise BadInput("cohort.users", detail)
            hint = did_you_mean(user, users, f"known users: {', '.join(list(users)[:20])}")
            raise BadInput("cohort.users", f"no user {user!r} in {str(root)!r}; {hint}")
    return {user: users[user] for user in cohort.users}
