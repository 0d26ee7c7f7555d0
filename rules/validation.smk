from lifelog.config import Config
from lifelog.validation.scenarios import SCENARIOS, SEEDS

# Whether the pipeline recovers planted groups, and finds none where none are planted. Each simulated cohort is a run of
# this workflow below <results>/validation.
VARIANTS = {
    "groups": {},  # three groups of participants
    "alike": {"groups": 1},  # the same modalities for all participants: nothing to group
    "nothing": {"effect": 0},  # no modality depends on the label
}
COHORTS = expand("<results>/validation/{v}-{seed}.json", v=VARIANTS, seed=range(5))


rule validate_cohort:
    input:
        preset=str(ROOT / "presets/validation.yaml"),
    output:
        cohort="<results>/validation/{variant}-{seed}.json",
    log:
        "<logs>/validation/{variant}-{seed}.log",
    benchmark:
        "<benchmarks>/validation/{variant}-{seed}.tsv"
    wildcard_constraints:
        variant="|".join(VARIANTS),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(120),
    params:
        snakefile=str(ROOT / "Snakefile"),
        simulation=lambda wildcards: VARIANTS[wildcards.variant] | {"seed": int(wildcards.seed)},
        code=package_digest(),
    message:
        "Running the workflow on a simulated cohort: {wildcards.variant}, seed {wildcards.seed}"
    script:
        "../workflow_scripts/validate_cohort.py"


rule summarise_validation:
    input:
        cohorts=COHORTS,
    output:
        table="<results>/validation/validation.csv",
        text="<results>/validation/validation.md",
    log:
        "<logs>/validation/summarise_validation.log",
    benchmark:
        "<benchmarks>/validation/summarise_validation.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code("summarise_validation"),
    message:
        "Summarising the validation"
    script:
        "../workflow_scripts/summarise_validation.py"


rule validate_importance:
    output:
        result="<results>/validation/importance/{scenario}-{seed}.json",
    log:
        "<logs>/validation/importance/{scenario}-{seed}.log",
    benchmark:
        "<benchmarks>/validation/importance/{scenario}-{seed}.tsv"
    wildcard_constraints:
        scenario="|".join(SCENARIOS),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(60),
    params:
        config=dump(Config()),
        code=code("validate_importance"),
    message:
        "Validating importance: {wildcards.scenario}, seed {wildcards.seed}"
    script:
        "../workflow_scripts/validate_importance.py"


rule summarise_importance:
    input:
        results=expand("<results>/validation/importance/{s}-{seed}.json", s=SCENARIOS, seed=SEEDS),
    output:
        table="<results>/validation/importance.csv",
        text="<results>/validation/importance.md",
        curves="<results>/validation/curves.svg",
        data="<results>/validation/curves.csv",
    log:
        "<logs>/validation/summarise_importance.log",
    benchmark:
        "<benchmarks>/validation/summarise_importance.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code("summarise_importance"),
    message:
        "Summarising the validation of importance"
    script:
        "../workflow_scripts/summarise_importance.py"


rule validation:
    input:
        "<results>/validation/validation.md",
        "<results>/validation/importance.md",
