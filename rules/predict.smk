rule train_predictor:
    input:
        groups="<results>/{target}/{split}/groups/{scheme}.csv",
        features=expand("<results>/features/{user}.parquet", user=USERS),
        splits=expand("<results>/{{target}}/{{split}}/splits/{user}.parquet", user=USERS),
    output:
        predictions="<results>/{target}/{split}/predictions/{predictor}/{scheme}.parquet",
    log:
        "<logs>/{target}/{split}/train_predictor/{predictor}/{scheme}.log",
    benchmark:
        "<benchmarks>/{target}/{split}/train_predictor/{predictor}/{scheme}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        gpu=lambda wildcards: gpus(CONFIG.predictor(wildcards.predictor)),
        mem_mb=growing(3000),
        runtime=240,
    params:
        predictor=named("predictor"),
        standardise=CONFIG.windows.standardise,
        code=code("predict", "mil", "metrics"),
    message:
        "Training {wildcards.predictor} for {wildcards.scheme} groups ({wildcards.split})"
    script:
        "../workflow_scripts/train_predictor.py"


rule compare_predictors:
    input:
        predictions=expand(
            "<results>/{{target}}/{{split}}/predictions/{model}.parquet", model=MODELS
        ),
    output:
        scores="<results>/{target}/{split}/scores.csv",
        comparison="<results>/{target}/{split}/comparison.csv",
        verdict="<results>/{target}/{split}/verdict.json",
    log:
        "<logs>/{target}/{split}/compare_predictors.log",
    benchmark:
        "<benchmarks>/{target}/{split}/compare_predictors.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=15,
    params:
        models=MODELS,
        compare=section("compare"),
        code=code("compare", "metrics"),
    message:
        "Comparing predictors on the same test windows ({wildcards.split})"
    script:
        "../workflow_scripts/compare_predictors.py"
