"""The pages about participants: a table of all, and a page for each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from lifelog.config import Config
from lifelog.evaluate.decision import STRATEGIES, STRATEGY_NAMES
from lifelog.importance.measures import MEASURES
from lifelog.report.catalogue import figures_of
from lifelog.report.chapter import Chapter, Figure, Run, SplitDetails
from lifelog.report.views.answers import sensors_of
from lifelog.report.views.importance import stability, stability_title
from lifelog.report.views.parts import NOTHING, Column, Row, Texts, count, model_title, show
from lifelog.report.words import measure_name

MOST_DIRECTIONS = 10  # features in the table of a user
phrase = Texts("users")


@dataclass(frozen=True)
class Member:
    """Group and importance of a participant in a chapter."""

    group: str
    certainty: float
    others: list[str]
    top: dict[str, list[str]]  # modalities by measure; none if importance is not interpretable
    stable: str


@dataclass(frozen=True)
class UsersView:
    """The pages about participants."""

    config: Config
    run: Run
    chapters: list[Chapter]

    @property
    def by_values(self) -> bool:
        """Whether Shapley values form the groups."""
        return self.config.groups.importance == "shapley"

    @property
    def measured(self) -> str:
        """What importance must fulfil to be shown."""
        return phrase("measured" if self.by_values else "stable")

    @cached_property
    def tables(self) -> list[UserTable]:
        """The table of all participants in each chapter with importance."""
        return [UserTable(self.config, chapter, self.run.cohort) for chapter in self.chapters if chapter.details]

    @property
    def users(self) -> list[UserView]:
        """The page of each participant."""
        shares = self.run.figures["yield"].table
        usable = {user: rows.set_index("modality").usable_share for user, rows in shares.groupby("user")}
        members = {table.chapter.key: table.members for table in self.tables}
        return [
            UserView(
                row=row,
                usable=[(name, f"{100 * share:.0f}", f"{share:.3f}") for name, share in usable[row["user"]].items()],
                chapters=[
                    UserChapter(row["user"], chapter, members.get(chapter.key, {}).get(row["user"]), self.by_values)
                    for chapter in self.chapters
                ],
            )
            for row in self.run.cohort.to_dict("records")
        ]


@dataclass(frozen=True)
class UserTable:
    """The table of all participants in a chapter with importance."""

    config: Config
    chapter: Chapter
    cohort: pd.DataFrame

    @cached_property
    def members(self) -> dict[str, Member]:
        """Participants who are not excluded."""
        names = [user for user in self.cohort.user if user not in self.chapter.reasons]
        return {user: member(self.config, self.chapter, user) for user in names}

    @property
    def models(self) -> list[tuple[str, str]]:
        """Models in importance groups and global ones, of predictors that have both."""
        columns = list(self.chapter.by_user.columns)
        return [(p, s) for p, s in columns if s in ("global", "importance") and (p, "importance") in columns]

    @property
    def columns(self) -> list[Column]:
        """Columns of importance and scores."""
        columns = [Column(f"highest {measure_name(measure)}", measure) for measure in MEASURES]
        columns += [Column(stability_title(self.config), "stable")]
        return columns + [Column(model_title(model), model, ".3f") for model in self.models]

    @property
    def rows(self) -> list[Row]:
        """One row per participant: windows, group, importance, scores."""
        rows = []
        for user, windows in zip(self.cohort.user, self.cohort.windows, strict=True):
            row: Row = {"user": user, "windows": windows, "tests": self.chapter.tests(user)}
            row |= {model: self.chapter.score(user, model) for model in self.models}
            of_user = self.members.get(user)
            if of_user:
                row |= {measure: ", ".join(names) or NOTHING for measure, names in of_user.top.items()}
                row |= {"group": of_user.group, "stable": of_user.stable}
            else:
                row |= dict.fromkeys([*MEASURES, "stable"], NOTHING)
                row |= {"group": f"excluded: {self.chapter.reasons[user]}"}
            rows.append(row)
        return rows


def member(config: Config, chapter: Chapter, user: str) -> Member:
    """Return group, most important modalities and stability of a participant who is not excluded."""
    assert chapter.details is not None
    groups = chapter.details.groups.set_index("user")
    group, certainty = groups.loc[user, ["group", "certainty"]]
    scores = chapter.details.importance.set_index("user").loc[user].to_dict()
    tables = {measure: chapter.figures[measure].table for measure in MEASURES}
    top = {m: list(table[table.user == user].nlargest(2, "importance").modality) for m, table in tables.items()}
    others = sorted(set(groups.index[groups.group == group]) - {user})
    top = top if scores["stable"] else {measure: [] for measure in top}
    return Member(group, certainty, others, top, stability(config, scores))


@dataclass(frozen=True)
class UserView:
    """The page of a participant."""

    row: Row  # of cohort_yield
    usable: list[tuple[str, str, str]]  # modality, percent and share of labelled windows
    chapters: list[UserChapter]

    @property
    def recorded(self) -> str:
        """Windows, lost time and days."""
        row = self.row
        reasons = f" ({row['reasons']})" if row["reasons"] else ""
        days = f", {row['first_day']} to {row['last_day']}" if row["first_day"] else ""
        return phrase("recorded", windows=count(row["windows"], "window"), row=row, reasons=reasons, days=days)


@dataclass(frozen=True)
class UserChapter:
    """A participant in a chapter; `member` is None without importance, and of an excluded participant."""

    user: str
    chapter: Chapter
    member: Member | None
    by_values: bool

    @property
    def membership(self) -> str:
        """Why the participant is excluded, or group and importance."""
        if self.chapter.details and self.user in self.chapter.reasons:
            return phrase("excluded", reason=self.chapter.reasons[self.user])
        member, reliable = self.member, ""
        if member is None:
            return ""
        others = f", with {', '.join(member.others)}" if member.others else ""
        if member.stable == "no":
            reliable = phrase("no_values" if self.by_values else "no_agreement")
        elif member.stable == "yes" and not self.by_values:
            reliable = phrase("agreement")
        certainty = show(member.certainty, ".0%")
        return phrase("member", group=member.group, others=others, certainty=certainty) + reliable

    @property
    def leading(self) -> list[str]:
        """The sensors that matter, and how their clearest features differ between classes."""
        details = self.chapter.details
        if details is None or self.user in self.chapter.reasons:
            return []
        sentences = [phrase("sensors", sensors=sensors_of(details, self.user))]
        mattering = details.mattering.modality[details.mattering.user == self.user]
        rows = clear_directions(details, self.user)
        rows = rows[rows.modality.isin(mattering)].drop_duplicates("modality") if len(rows) else rows
        if len(rows):
            entries = [phrase("entry", row=row, size=abs(row.difference)) for row in rows.itertuples()]
            sentences.append(phrase("toward", first=rows.iloc[0], entries=", ".join(entries)))
        return sentences

    @property
    def tops(self) -> str:
        """The most important modalities by each measure."""
        top = self.member.top if self.member else {}
        named = {measure_name(measure): ", ".join(names) for measure, names in top.items() if names}
        return " ".join(phrase("top", measure=measure, modalities=names) for measure, names in named.items())

    @property
    def figures(self) -> dict[str, Figure]:
        """The figures of the participant by kind."""
        return dict(zip(figures_of("user"), self.chapter.user_figures[self.user], strict=False))

    @property
    def no_direction(self) -> str:
        """Whether no feature differs."""
        return phrase("no_direction") if self.member and self.directions.empty else ""

    @cached_property
    def directions(self) -> pd.DataFrame:
        """Features with the largest differences between classes, of those that exclude 0."""
        details = self.chapter.details
        return pd.DataFrame() if details is None else clear_directions(details, self.user).head(MOST_DIRECTIONS)

    @property
    def about_directions(self) -> str:
        """What the table of features shows."""
        return phrase("directions", first=self.directions.iloc[0])

    @property
    def tests(self) -> str:
        """Number of test windows."""
        return count(self.chapter.tests(self.user), "test window")

    @property
    def strategies(self) -> list[str]:
        """Strategies with a score."""
        return [name for name in STRATEGIES if name in self.chapter.by_user.columns.get_level_values("scheme")]

    @property
    def scores(self) -> list[Row]:
        """Scores of strategies by predictor, none if the participant has no test windows."""
        columns = self.chapter.by_user.columns if self.user in self.chapter.by_user.index else []
        rows: dict[str, Row] = {}
        for predictor, scheme in columns:
            if scheme in STRATEGIES:
                row = rows.setdefault(predictor, {"predictor": predictor} | dict.fromkeys(self.strategies))
                row[scheme] = self.chapter.score(self.user, (predictor, scheme))
        return list(rows.values())

    @property
    def columns(self) -> list[Column]:
        """Columns of `scores`."""
        return [Column(STRATEGY_NAMES[name], name, ".2f") for name in self.strategies]


def clear_directions(details: SplitDetails, user: str) -> pd.DataFrame:
    """Return the features of a participant whose differences between classes exclude 0, the largest ones first."""
    rows = details.directions[user]
    rows = rows[(rows.low > 0) | (rows.high < 0)]
    return rows.assign(where=["higher" if difference > 0 else "lower" for difference in rows.difference])
