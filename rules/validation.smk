from lifelog.config import Config
from lifelog.validation.scenarios import SCENARIOS, RIGHT_WAYS, SEEDS, WAYS


# Simulated cohorts with a known truth: importance and groups, the recommended way of modelling, and claimed gains.
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


rule validate_ways:
    output:
        result="<results>/validation/ways/{kind}-{seed}-{split}.json",
    log:
        "<logs>/validation/ways/{kind}-{seed}-{split}.log",
    benchmark:
        "<benchmarks>/validation/ways/{kind}-{seed}-{split}.tsv"
    wildcard_constraints:
        kind="|".join(RIGHT_WAYS),
        split=r"\d+",  # the seed of the split
    conda:
        ENVIRONMENT
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(60),
    params:
        config=dump(Config()),
        code=code("validate_ways"),
    message:
        "Validating the recommended way of modelling: {wildcards.kind}, seed {wildcards.seed}, split {wildcards.split}"
    script:
        "../workflow_scripts/validate_ways.py"


rule summarise_ways:
    input:
        results=[f"<results>/validation/ways/{kind}-{seed}-{split}.json" for kind, seed, split in WAYS],
    output:
        table="<results>/validation/ways.csv",
        text="<results>/validation/ways.md",
    log:
        "<logs>/validation/summarise_ways.log",
    benchmark:
        "<benchmarks>/validation/summarise_ways.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code("summarise_ways"),
    message:
        "Summarising the validation of ways of modelling"
    script:
        "../workflow_scripts/summarise_ways.py"


rule validation:
    input:
        "<results>/validation/importance.md",
        "<results>/validation/ways.md",
