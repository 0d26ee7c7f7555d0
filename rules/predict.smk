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
        code=lambda w: code("train_predictors", w.predictor),
    message:
        "Training {wildcards.predictor} for {wildcards.scheme} groups ({wildcards.split})"
    script:
        "../workflow_scripts/train_predictors.py"


# Models that take seconds share two jobs: those without groups by importance, which every split has, and the others.
if FAST_UNGROUPED:

    use rule train_predictors as train_fast with:
        input:
            groups=[],
            features=per_user("features/{user}.parquet"),
            splits=per_user("{target}/{split}/splits/{user}.parquet"),
            windows=[],
        output:
            predictions=predictions_of(FAST_UNGROUPED),
        log:
            "<logs>/{target}/{split}/train_fast.log",
        benchmark:
            "<benchmarks>/{target}/{split}/train_fast.tsv"
        resources:
            mem_mb=scaled(4000),
            runtime=scaled(240),
        params:
            models=FAST_UNGROUPED,
            predictors=settings_of(FAST_UNGROUPED),
            standardise=CONFIG.windows.standardise,
            code=code("train_predictors", *settings_of(FAST_UNGROUPED)),
        message:
            "Training the fast predictors ({wildcards.split})"


if FAST_GROUPED:

    use rule train_fast as train_fast_groups with:
        input:
            groups=[f"<results>/{{target}}/{{split}}/groups/{scheme}.csv" for scheme in GROUPED],
            features=per_user("features/{user}.parquet"),
            splits=per_user("{target}/{split}/splits/{user}.parquet"),
            windows=[],
        output:
            predictions=predictions_of(FAST_GROUPED),
        log:
            "<logs>/{target}/{split}/train_fast_groups.log",
        benchmark:
            "<benchmarks>/{target}/{split}/train_fast_groups.tsv"
        wildcard_constraints:
            split=either(split.name for split in CONFIG.splits if split.importance),
        params:
            models=FAST_GROUPED,
            predictors=settings_of(FAST_GROUPED),
            standardise=CONFIG.windows.standardise,
            code=code("train_predictors", *settings_of(FAST_GROUPED)),
        message:
            "Training the fast predictors in groups ({wildcards.split})"


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
        ordinal=lambda w: CONFIG.target(w.target).ordinal,
        compare=dump(CONFIG.compare),
        code=code("learning_curve"),
    message:
        "Leaving out each user, with few labelled windows ({wildcards.split})"
    script:
        "../workflow_scripts/learning_curve.py"


rule compare_predictors:
    input:
        predictions=compared_predictions,
        groups=with_importance(IMPORTANCE_GROUPS),
        importance=with_importance("<results>/{target}/{split}/importance_scores.csv"),
    output:
        scores="<results>/{target}/{split}/scores.csv",
        comparison="<results>/{target}/{split}/comparison.csv",
        calibration="<results>/{target}/{split}/calibration.csv",
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
