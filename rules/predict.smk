rule train_predictor:
    input:
        groups=lambda wildcards: f"<results>/{{target}}/{within(wildcards)}/groups/{{scheme}}.csv",
        features=expand("<results>/features/{user}.parquet", user=USERS),
        splits=lambda wildcards: expand(
            "<results>/{{target}}/{split}/splits/{user}.parquet",
            split=within(wildcards),
            user=USERS,
        ),
        windows=lambda wildcards: (
            expand("<results>/windows/{user}.parquet", user=USERS)
            if wildcards.predictor == "windownet"
            else []
        ),
    output:
        predictions="<results>/{target}/{split}/predictions/{predictor}/{scheme}.parquet",
    log:
        "<logs>/{target}/{split}/train_predictor/{predictor}/{scheme}.log",
    benchmark:
        "<benchmarks>/{target}/{split}/train_predictor/{predictor}/{scheme}.tsv"
    wildcard_constraints:
        split="|".join(SPLITS),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        gpu=lambda wildcards: gpus(CONFIG.predictor(wildcards.predictor)),
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        predictor=lambda wildcards: CONFIG.predictor(wildcards.predictor).model_dump(
            exclude={"schemes"}
        ),
        unseen=unseen,
        standardise=CONFIG.windows.standardise,
        code=code("predict", "mil/bags", *NETWORK, "metrics", "windows/read", "windows/features"),
    message:
        "Training {wildcards.predictor} for {wildcards.scheme} groups ({wildcards.split})"
    script:
        "../workflow_scripts/train_predictor.py"


rule compare_predictors:
    input:
        predictions=lambda wildcards: expand(
            "<results>/{{target}}/{{split}}/predictions/{model}.parquet",
            model=models(wildcards),
        ),
    output:
        scores="<results>/{target}/{split}/scores.csv",
        comparison="<results>/{target}/{split}/comparison.csv",
        verdict="<results>/{target}/{split}/verdict.json",
    log:
        "<logs>/{target}/{split}/compare_predictors.log",
    benchmark:
        "<benchmarks>/{target}/{split}/compare_predictors.tsv"
    wildcard_constraints:
        split="|".join(SPLITS),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(15),
    params:
        models=models,
        compare=section("compare"),
        parts=CONFIG.groups.parts,
        code=code("compare", "verdict", "metrics"),
    message:
        "Comparing predictors on the same test windows ({wildcards.split})"
    script:
        "../workflow_scripts/compare_predictors.py"
