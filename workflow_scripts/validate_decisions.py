"""validate_decisions: simulated cohorts of a line → what is concluded about them."""

from pydantic import TypeAdapter

from lifelog.config import Config
from lifelog.files import write_json
from lifelog.logs import job_log
from lifelog.settings.splits import Split
from lifelog.validation.decisions import validate_decisions
from lifelog.validation.groups import Kinds
from lifelog.validation.people import Design
from lifelog.validation.scenarios import DECISION_LINES

with job_log(snakemake):
    line = DECISION_LINES[snakemake.wildcards.line]
    config = Config.from_params(snakemake.params.config)
    config = config.model_copy(update={"groups": config.groups.model_copy(update=line.get("groups", {}))})
    kinds = Kinds(Design(**line["design"]), line["effect"], line["sizes"])
    split = TypeAdapter(Split).validate_python(line["split"])
    write_json(validate_decisions(kinds, split, line["seeds"], config), snakemake.output.result)
