# New users are a run in a results folder of their own that reads a finished run.
BASE_MODELS = CONFIG.models(CONFIG.split(BASE_SPLITS[0]))
GROUPED = [CONFIG.predictor(name) for name, scheme in BASE_MODELS if scheme == "importance"]

if CONFIG.new_users.run:
    from lifelog.new_users import check_run, required_settings

    try:
        for target, split in (chapter.split("/") for chapter in BASE_CHAPTERS):
            required = required_settings(
                CONFIG.mil,
                CONFIG.windows.standardise,
                CONFIG.modalities,
                CONFIG.target(target),
                CONFIG.groups,
            )
            check_run(CONFIG.new_users.run, USERS, target, split, required)
    except BadInput as problem:
        raise WorkflowError(str(problem)) from None


def finished_run(wildcards):
    """Files of the finished run, by name of the input."""
    if not CONFIG.new_users.run:
        raise WorkflowError("new_users.run: set it to the results folder of a finished run")
    run = Path(CONFIG.new_users.run)
    chapter = run / wildcards.target / wildcards.split
    folders = {"importance": chapter / "importance", "splits": chapter / "splits"}
    folders |= {"features": run / "features", "windows": run / "windows"}
    tables = {
        f"run_{name}": sorted(map(str, folder.glob("*.parquet")))
        for name, folder in folders.items()
    }
    return {"run_groups": str(chapter / "groups/importance.csv"), **tables}


rule new_users:
    input:
        expand("<results>/{c}/new_users/{user}.json", c=BASE_CHAPTERS, user=USERS),


rule place_user:
    input:
        unpack(finished_run),
        windows="<results>/windows/{user}.parquet",
        features="<results>/features/{user}.parquet",
        splits="<results>/{target}/{split}/splits/{user}.parquet",
        importance="<results>/{target}/{split}/importance/{user}.parquet",
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
