"""write_plan: configuration and fingerprint of the recordings → the plan, with a version for each change of them."""

from datetime import UTC, datetime
from pathlib import Path

from lifelog.evaluate.plan import Version, digest_settings, read_versions, update_plan
from lifelog.files import read_json, write_json
from lifelog.logs import job_log
from lifelog.records import FOLDER

with job_log(snakemake):
    path, params = Path(snakemake.output.plan), snakemake.params
    earlier = read_versions(read_json(path)) if path.exists() else []
    now = Version(
        datetime.now(UTC).isoformat(timespec="seconds"),
        dict(params.primary),
        digest_settings(params.config),
        params.recordings,
        # Records outlast a verdict that another job is just making again.
        any(path.parent.joinpath(FOLDER, "compare_predictors").glob("*.json")),
    )
    write_json({"versions": [version._asdict() for version in update_plan(earlier, now)]}, path)
