"""validate_claims: simulated participants of a design → how often claims about them are right."""

from lifelog.files import write_json
from lifelog.logs import job_log
from lifelog.settings.importance import Shapley
from lifelog.validation.claims import validate_claims
from lifelog.validation.people import Design
from lifelog.validation.scenarios import CLAIM_EFFECTS, CLAIM_PEOPLE, CLAIM_SEED, CLAIMS

with job_log(snakemake):
    design = Design(**CLAIMS[snakemake.wildcards.design], **CLAIM_EFFECTS[snakemake.wildcards.effect])
    settings = Shapley.from_params(snakemake.params.shapley)
    write_json(validate_claims(design, CLAIM_SEED, CLAIM_PEOPLE, settings), snakemake.output.result)
