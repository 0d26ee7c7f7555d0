# New users are a run in a results folder of their own that reads a finished run.
BASE_MODELS = CONFIG.models(CONFIG.split(BASE_SPLITS[0]))
GROUPED = [CONFIG.predictor(name) for name, scheme in BASE_MODELS if scheme == "importance"]

if CONFIG.new_users.run:
    from lifelog.new_users import check_run, required_settings

    try:
        for target, split in (chapter.split("/") for chapter in BASE_CHAPTERS):
            shared = CONFIG.value, CONFIG.mil, CONFIG.windows.standardise, CONFIG.modalities, CONFIG.target(target)
            check_run(CONFIG.new_users.run, USERS, target, split, required_settings(*shared, CONFIG.groups))
    except BadInput as problem:
        raise WorkflowError(str(problem)) from None


rule new_users:
    input:
        expand("<results>/{c}/new_users/{user}.json", c=BASE_CHAPTERS, user=USERS),


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
        gpu=max(map(requested_gpus, GROUPED), default=0),
        mem_mb=scaled(4000),
        runtime=scaled(240),
    params:
        groups=dump(CONFIG.groups, Clustering),
        standardise=CONFIG.windows.standardise,
        predictors=[dump(predictor) for predictor in GROUPED],
        code=code("place_user"),
    message:
        "Placing user {wildcards.user} in the groups of a finished run ({wildcards.split})"
    script:
        "../workflow_scripts/place_user.py"
