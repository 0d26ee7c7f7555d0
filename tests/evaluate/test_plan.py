"""The plan: a version per change, and whether results were known."""

from lifelog.evaluate.plan import Version, digest_settings, read_versions, update_plan

FIRST = Version("2026-01-01T00:00:00+00:00", {"target": "t"}, "c1", "r1", False)


def test_a_version_is_added_only_when_something_changed() -> None:
    again = FIRST._replace(time="2026-01-02T00:00:00+00:00", after_verdict=True)
    assert update_plan([], FIRST) == [FIRST] and update_plan([FIRST], again) == [FIRST]
    for change in ({"configuration": "c2"}, {"recordings": "r2"}, {"primary": {"target": "u"}}):
        changed = again._replace(**change)
        assert update_plan([FIRST], changed) == [FIRST, changed]
    assert read_versions({"versions": [FIRST._asdict()]}) == [FIRST]


def test_the_title_and_the_folder_of_a_run_are_no_part_of_the_plan() -> None:
    config = {"results": "a", "report": {"title": "x"}, "mil": {"epochs": 2}}
    assert digest_settings(config) == digest_settings(config | {"results": "b", "report": {"title": "y"}})
    assert digest_settings(config) != digest_settings(config | {"mil": {"epochs": 3}})
