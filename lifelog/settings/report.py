"""Settings of the report and of users who join a finished run."""

from pydantic import Field

from lifelog.settings.base import Section


class Report(Section):
    """The report."""

    title: str = Field("lifelog report", max_length=120)
    """title of the report"""

    published: bool = False
    """true: compare with the figures printed in the study (ETRI 2019, users 101 to 120)"""


class NewUsers(Section):
    """Users who join a finished run."""

    run: str = ""
    """results folder of a finished run; the target `new_users` assigns this cohort to its groups"""
