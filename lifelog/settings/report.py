"""Settings of the report."""

from pydantic import Field

from lifelog.settings.base import Section


class Report(Section):
    """The report."""

    title: str = Field("lifelog report", max_length=120)
    """title of the report"""

    published: bool = False
    """true: compare with the figures printed in the study (ETRI 2019, users 101 to 120)"""
