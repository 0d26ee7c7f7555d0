from lifelog.config import Config
from lifelog.validation.scenarios import (
    BUNDLE_LINES,
    CLAIM_EFFECTS,
    CLAIM_LINES,
    CLAIMS,
    DECISION_LINES,
    GROUP_LINES,
    PROBABILITY_LINES,
    RIGHT_STRATEGIES,
    SCENARIOS,
    SEEDS,
    SENSOR_LINES,
    STRATEGIES,
)


# Simulated cohorts with a known truth: importance and groups, the recommended strategy, and claimed gains.
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


rule validate_strategies:
    output:
        result="<results>/validation/strategies/{kind}-{seed}-{split}.json",
    log:
        "<logs>/validation/strategies/{kind}-{seed}-{split}.log",
    benchmark:
        "<benchmarks>/validation/strategies/{kind}-{seed}-{split}.tsv"
    wildcard_constraints:
        kind="|".join(RIGHT_STRATEGIES),
        split=r"\d+",  # the seed of the split
    conda:
        ENVIRONMENT
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(60),
    params:
        config=dump(Config()),
        code=code("validate_strategies", "lda"),
    message:
        "Validating the recommended strategy: {wildcards.kind}, seed {wildcards.seed}, split {wildcards.split}"
    script:
        "../workflow_scripts/validate_strategies.py"


rule summarise_strategies:
    input:
        results=[f"<results>/validation/strategies/{kind}-{seed}-{split}.json" for kind, seed, split in STRATEGIES],
    output:
        table="<results>/validation/strategies.csv",
        text="<results>/validation/strategies.md",
    log:
        "<logs>/validation/summarise_strategies.log",
    benchmark:
        "<benchmarks>/validation/summarise_strategies.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code("summarise_strategies"),
    message:
        "Summarising the validation of strategies"
    script:
        "../workflow_scripts/summarise_strategies.py"


rule validate_claims:
    output:
        result="<results>/validation/claims/{design}-{effect}.json",
    log:
        "<logs>/validation/claims/{design}-{effect}.log",
    benchmark:
        "<benchmarks>/validation/claims/{design}-{effect}.tsv"
    wildcard_constraints:
        design="|".join(CLAIMS),
        effect="|".join(CLAIM_EFFECTS),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(60),
    params:
        shapley=dump(Config().shapley),
        code=code("validate_claims"),
    message:
        "Validating claims about single participants: {wildcards.design}, {wildcards.effect}"
    script:
        "../workflow_scripts/validate_claims.py"


rule summarise_claims:
    input:
        results=[f"<results>/validation/claims/{design}-{effect}.json" for design, effect in CLAIM_LINES],
    output:
        table="<results>/validation/claims.csv",
        text="<results>/validation/claims.md",
    log:
        "<logs>/validation/summarise_claims.log",
    benchmark:
        "<benchmarks>/validation/summarise_claims.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code("summarise_claims"),
    message:
        "Summarising the validation of claims"
    script:
        "../workflow_scripts/summarise_claims.py"


rule validate_groups:
    output:
        result="<results>/validation/groups/{line}.json",
    log:
        "<logs>/validation/groups/{line}.log",
    benchmark:
        "<benchmarks>/validation/groups/{line}.tsv"
    wildcard_constraints:
        line="|".join(GROUP_LINES),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(60),
    params:
        config=dump(Config()),
        code=code("validate_groups"),
    message:
        "Validating groups: {wildcards.line}"
    script:
        "../workflow_scripts/validate_groups.py"


rule summarise_groups:
    input:
        results=expand("<results>/validation/groups/{line}.json", line=GROUP_LINES),
    output:
        table="<results>/validation/groups.csv",
        text="<results>/validation/groups.md",
    log:
        "<logs>/validation/summarise_groups.log",
    benchmark:
        "<benchmarks>/validation/summarise_groups.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code("summarise_groups"),
    message:
        "Summarising the validation of groups"
    script:
        "../workflow_scripts/summarise_groups.py"


rule validate_decisions:
    output:
        result="<results>/validation/decisions/{line}.json",
    log:
        "<logs>/validation/decisions/{line}.log",
    benchmark:
        "<benchmarks>/validation/decisions/{line}.tsv"
    wildcard_constraints:
        line="|".join(DECISION_LINES),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(120),
    params:
        config=dump(Config()),
        code=code("validate_decisions", "lda"),
    message:
        "Validating decisions: {wildcards.line}"
    script:
        "../workflow_scripts/validate_decisions.py"


rule summarise_decisions:
    input:
        results=expand("<results>/validation/decisions/{line}.json", line=DECISION_LINES),
    output:
        table="<results>/validation/decisions.csv",
        text="<results>/validation/decisions.md",
    log:
        "<logs>/validation/summarise_decisions.log",
    benchmark:
        "<benchmarks>/validation/summarise_decisions.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code("summarise_decisions"),
    message:
        "Summarising the validation of decisions"
    script:
        "../workflow_scripts/summarise_decisions.py"


rule validate_probabilities:
    output:
        result="<results>/validation/probabilities/{line}.json",
    log:
        "<logs>/validation/probabilities/{line}.log",
    benchmark:
        "<benchmarks>/validation/probabilities/{line}.tsv"
    wildcard_constraints:
        line="|".join(PROBABILITY_LINES),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(60),
    params:
        config=dump(Config()),
        code=code("validate_probabilities", "lda", "boosting", "majority"),
    message:
        "Validating probabilities: {wildcards.line}"
    script:
        "../workflow_scripts/validate_probabilities.py"


rule summarise_probabilities:
    input:
        results=expand("<results>/validation/probabilities/{line}.json", line=PROBABILITY_LINES),
    output:
        table="<results>/validation/probabilities.csv",
        text="<results>/validation/probabilities.md",
    log:
        "<logs>/validation/summarise_probabilities.log",
    benchmark:
        "<benchmarks>/validation/summarise_probabilities.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code("summarise_probabilities"),
    message:
        "Summarising the validation of probabilities"
    script:
        "../workflow_scripts/summarise_probabilities.py"


rule validate_bundles:
    output:
        result="<results>/validation/bundles/{line}.json",
    log:
        "<logs>/validation/bundles/{line}.log",
    benchmark:
        "<benchmarks>/validation/bundles/{line}.tsv"
    wildcard_constraints:
        line="|".join(BUNDLE_LINES),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(60),
    params:
        config=dump(Config()),
        code=code("validate_bundles", "lda"),
    message:
        "Validating bundles: {wildcards.line}"
    script:
        "../workflow_scripts/validate_bundles.py"


rule summarise_bundles:
    input:
        results=expand("<results>/validation/bundles/{line}.json", line=BUNDLE_LINES),
    output:
        table="<results>/validation/bundles.csv",
        text="<results>/validation/bundles.md",
    log:
        "<logs>/validation/summarise_bundles.log",
    benchmark:
        "<benchmarks>/validation/summarise_bundles.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code("summarise_bundles"),
    message:
        "Summarising the validation of bundles"
    script:
        "../workflow_scripts/summarise_bundles.py"


rule validate_sensors:
    output:
        result="<results>/validation/sensors/{line}.json",
    log:
        "<logs>/validation/sensors/{line}.log",
    benchmark:
        "<benchmarks>/validation/sensors/{line}.tsv"
    wildcard_constraints:
        line="|".join(SENSOR_LINES),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(60),
    params:
        config=dump(Config()),
        code=code("validate_sensors", "lda"),
    message:
        "Validating the fewest sensors: {wildcards.line}"
    script:
        "../workflow_scripts/validate_sensors.py"


rule summarise_sensors:
    input:
        results=expand("<results>/validation/sensors/{line}.json", line=SENSOR_LINES),
    output:
        table="<results>/validation/sensors.csv",
        text="<results>/validation/sensors.md",
    log:
        "<logs>/validation/summarise_sensors.log",
    benchmark:
        "<benchmarks>/validation/summarise_sensors.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code("summarise_sensors"),
    message:
        "Summarising the validation of the fewest sensors"
    script:
        "../workflow_scripts/summarise_sensors.py"


rule validation:
    input:
        "<results>/validation/bundles.md",
        "<results>/validation/claims.md",
        "<results>/validation/decisions.md",
        "<results>/validation/groups.md",
        "<results>/validation/importance.md",
        "<results>/validation/probabilities.md",
        "<results>/validation/sensors.md",
        "<results>/validation/strategies.md",
