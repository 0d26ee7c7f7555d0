# One model per job: these take minutes, or a GPU.
rule train_predictors:
    input:
        groups=groups_of_scheme,
        features=per_user("features/{user}.parquet"),
        splits=per_user("{target}/{split}/splits/{user}.parquet"),
        windows=windows_if_seen,
        pretrained=pretrained_models,
    output:
        predictions=["<results>/{target}/{split}/predictions/{predictor}/{scheme}.parquet"],
    log:
        "<logs>/{target}/{split}/train_predictors/{predictor}/{scheme}.log",
    benchmark:
        "<benchmarks>/{target}/{split}/train_predictors/{predictor}/{scheme}.tsv"
    wildcard_constraints:
        predictor=either(x.name for x in CONFIG.predictors if not x.fast),
    conda:
        ENVIRONMENT
    resources:
        gpu=lambda w: requested_gpus(CONFIG.predictor(w.predictor)),
        mem_mb=scaled(4000),
        runtime=scaled(240),
    params:
        models=lambda w: [(w.predictor, w.scheme)],
        predictors=lambda w: settings_of([(w.predictor, w.scheme)]),
        standardise=CONFIG.windows.standardise,
        code=lambda w: code("train_predictors", w.predictor)(w),
    message:
        "Training {wildcards.predictor} for {wildcards.scheme} groups ({wildcards.split})"
    script:
        "../workflow_scripts/train_predictors.py"


# Models that take seconds share two jobs per split: those without groups by importance, and the others.
for batch, (models, of_splits) in FAST.items():
    models = list(models)

    rule:
        name:
            batch
        input:
            groups=groups_of_models(models),
            features=per_user("features/{user}.parquet"),
            splits=per_user("{target}/{split}/splits/{user}.parquet"),
            windows=[],
        output:
            predictions=predictions_of(models),
        log:
            f"<logs>/{{target}}/{{split}}/{batch}.log",
        benchmark:
            f"<benchmarks>/{{target}}/{{split}}/{batch}.tsv"
        wildcard_constraints:
            split=either(of_splits),
        conda:
            ENVIRONMENT
        resources:
            mem_mb=scaled(4000),
            runtime=scaled(240),
        params:
            models=models,
            predictors=settings_of(models),
            standardise=CONFIG.windows.standardise,
            code=code("train_predictors", *settings_of(models)),
        message:
            "Training the fast predictors ({wildcards.split})"
        script:
            "../workflow_scripts/train_predictors.py"


rule learning_curve:
    input:
        features=per_user("features/{user}.parquet"),
        splits=per_user("{target}/{split}/splits/{user}.parquet"),
        shapley=SHAPLEY,
    output:
        curve="<results>/{target}/{split}/learning_curve.csv",
        summary="<results>/{target}/{split}/learning_curve.json",
    log:
        "<logs>/{target}/{split}/learning_curve.log",
    benchmark:
        "<benchmarks>/{target}/{split}/learning_curve.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(240),
    params:
        curve=dump(CONFIG.learning_curve),
        lda=dump(next((x for x in CONFIG.predictors if x.name == "lda"), predictor_settings("lda"))),
        groups=dump(CONFIG.groups, Scoring),
        shapley=dump(CONFIG.shapley),
        gap=gap_minutes,
        target=config_entry("target"),
        compare=dump(CONFIG.compare),
        code=code("learning_curve"),
    message:
        "Leaving out each user, with few labelled windows ({wildcards.split})"
    script:
        "../workflow_scripts/learning_curve.py"


rule compare_predictors:
    input:
        predictions=compared_predictions,
        groups=if_grouped(IMPORTANCE_GROUPS),
        importance=measured("<results>/{target}/{split}/importance_scores.csv"),
    output:
        scores="<results>/{target}/{split}/scores.csv",
        comparison="<results>/{target}/{split}/comparison.csv",
        calibration="<results>/{target}/{split}/calibration.csv",
        use="<results>/{target}/{split}/use.csv",
        verdict="<results>/{target}/{split}/verdict.json",
    log:
        "<logs>/{target}/{split}/compare_predictors.log",
    benchmark:
        "<benchmarks>/{target}/{split}/compare_predictors.tsv"
    conda:
        ENVIRONMENT
    params:
        models=compared_models,
        compare=dump(CONFIG.compare),
        primary=CONFIG.primary.predictor,
        exploratory=lambda w: (w.target, w.split) != CONFIG.primary[:2],
        subsets=CONFIG.groups.subsets,
        ordinal=lambda w: CONFIG.target(w.target).ordinal,
        code=code("compare_predictors"),
    message:
        "Comparing predictors on the same test windows ({wildcards.split})"
    script:
        "../workflow_scripts/compare_predictors.py"
