# Other recordings, predicted with a bundle (score.bundle), whose windows, modalities and target they have.
if CONFIG.score.bundle:
    from lifelog.bundle.configure import check_participants
    from lifelog.records import content_digest

    try:
        if workflow.is_main_process:
            check_participants(CONFIG.score, USERS)
    except BadInput as problem:
        raise WorkflowError(str(problem)) from None
    BUNDLE = content_digest(Path(CONFIG.score.bundle) / "SHA256SUMS")


rule score_user:
    input:
        raw=recordings_to_score,
    output:
        scored="<results>/score/{user}.parquet",
        about="<results>/score/{user}.json",
        quality="<results>/score/quality/{user}.parquet",
        features="<results>/score/features/{user}.parquet",
    log:
        "<logs>/score_user/{user}.log",
    benchmark:
        "<benchmarks>/score_user/{user}.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(240),
    params:
        bundle=CONFIG.score.bundle,
        content=BUNDLE if CONFIG.score.bundle else None,
        participants=CONFIG.score.participants,
        folder=lambda wildcards: FOLDERS[wildcards.user],
        recordings=lambda wildcards: recordings_fingerprint(wildcards.user),
        layout=lambda wildcards: dump(CONFIG.cohort.of(wildcards.user), Recordings),
        extraction=dump(CONFIG.windows, Extraction),
        modalities=MODALITIES,
        features_code=code("extract_features"),
        code=lambda w: code("score_user", bundled_predictor())(w),
    message:
        "Scoring the windows of user {wildcards.user}"
    script:
        "../workflow_scripts/score_user.py"


rule score:
    input:
        scored=per_user("score/{user}.parquet"),
        about=per_user("score/{user}.json"),
    output:
        summary="<results>/score/summary.csv",
        days="<results>/score/days.svg",
    log:
        "<logs>/score.log",
    benchmark:
        "<benchmarks>/score.tsv"
    conda:
        ENVIRONMENT
    params:
        zones={user: CONFIG.cohort.zone(user) for user in USERS},
        code=code("score"),
    message:
        "Summarising the scored windows"
    script:
        "../workflow_scripts/score.py"


rule transfer:
    input:
        scored=per_user("score/{user}.parquet"),
        about=per_user("score/{user}.json"),
        trained=trained_here,
    output:
        table="<results>/score/transfer.csv",
        sentence="<results>/score/transfer.json",
        figure="<results>/score/transfer_scores.svg",
    log:
        "<logs>/transfer.log",
    benchmark:
        "<benchmarks>/transfer.tsv"
    conda:
        ENVIRONMENT
    params:
        bundle=CONFIG.score.bundle,
        content=BUNDLE if CONFIG.score.bundle else None,
        participants=CONFIG.score.participants,
        compare=dump(CONFIG.compare),
        code=code("transfer"),
    message:
        "Comparing the bundle with its own test, and with models of these recordings"
    script:
        "../workflow_scripts/transfer.py"
