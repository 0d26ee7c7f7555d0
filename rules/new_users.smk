# New users are a run in a results folder of their own that reads a finished run.
GROUPED_CHAPTERS = [chapter for chapter in CHAPTERS if measures_groups(chapter.split("/")[1])]
PLACED = list(map(CONFIG.predictor, CONFIG.trained("importance")))

if CONFIG.new_users.run:
    from lifelog.new_users.check import check_run, required_settings

    try:
        for target, split in (chapter.split("/") for chapter in GROUPED_CHAPTERS):
            shared = CONFIG.shapley, CONFIG.mil, CONFIG.windows.standardise, CONFIG.modalities, CONFIG.target(target)
            check_run(
                CONFIG.new_users.run,
                USERS,
                target,
                split,
                required_settings(*shared, CONFIG.groups, CONFIG.split(split)),
            )
    except BadInput as problem:
        raise WorkflowError(str(problem)) from None


rule new_users:
    input:
        expand("<results>/{c}/new_users/{user}.json", c=GROUPED_CHAPTERS, user=USERS),


rule place_user:
    input:
        unpack(placement_inputs),
    output:
        placement="<results>/{target}/{split}/new_users/{user}.json",
        predictions="<results>/{target}/{split}/new_users/{user}.parquet",
    log:
        "<logs>/{target}/{split}/place_user/{user}.log",
    benchmark:
        "<benchmarks>/{target}/{split}/place_user/{user}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=max(map(requested_gpus, PLACED), default=0),
        mem_mb=scaled(4000),
        runtime=scaled(240),
    params:
        groups=dump(CONFIG.groups, Clustering),
        standardise=CONFIG.windows.standardise,
        predictors=[dump(predictor) for predictor in PLACED],
        metric=CONFIG.compare.metric,
        code=code("place_user", *(predictor.name for predictor in PLACED)),
    message:
        "Placing user {wildcards.user} in the groups of a finished run ({wildcards.split})"
    script:
        "../workflow_scripts/place_user.py"
