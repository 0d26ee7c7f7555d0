IMPORTANCE = per_user("{target}/{split}/importance/{user}.parquet")
# Values of the measure that forms the groups, and of all measures.
GROUPING = SHAPLEY if CONFIG.groups.importance == "shapley" else IMPORTANCE
MEASURED = SHAPLEY + IMPORTANCE
DELETION = per_user("{target}/{split}/deletion/{user}.parquet")
IMPORTANCE_GROUPS = "<results>/{target}/{split}/groups/importance.csv"
GROUP_SCORES = "<results>/{target}/{split}/groups/scores.csv"


rule score_groups:
    input:
        importance=GROUPING,
    output:
        scores=GROUP_SCORES,
    log:
        "<logs>/{target}/{split}/score_groups.log",
    benchmark:
        "<benchmarks>/{target}/{split}/score_groups.tsv"
    conda:
        ENVIRONMENT
    params:
        groups=dump(CONFIG.groups, Scoring),
        code=code("score_groups"),
    message:
        "Scoring numbers of groups ({wildcards.split})"
    script:
        "../workflow_scripts/score_groups.py"


rule score_importance:
    input:
        importance=MEASURED,
        deletion=DELETION,
    output:
        scores="<results>/{target}/{split}/importance_scores.csv",
    log:
        "<logs>/{target}/{split}/score_importance.log",
    benchmark:
        "<benchmarks>/{target}/{split}/score_importance.tsv"
    conda:
        ENVIRONMENT
    params:
        vectors=dump(CONFIG.groups, Vectors),
        code=code("score_importance"),
    message:
        "Scoring the stability and faithfulness of importance ({wildcards.split})"
    script:
        "../workflow_scripts/score_importance.py"


rule group_users:
    input:
        importance=grouped_importance,
        scores=scores_of_groups,
        groups=of_schemes(["attention", "raw", "class-shares", "random"], IMPORTANCE_GROUPS),
        features=if_unseen_or("raw", per_user("features/{user}.parquet")),
        splits=if_unseen_or("class-shares", per_user("{target}/{split}/splits/{user}.parquet")),
    output:
        groups="<results>/{target}/{split}/groups/{scheme}.csv",
        settings="<results>/{target}/{split}/groups/{scheme}.json",
    log:
        "<logs>/{target}/{split}/group_users/{scheme}.log",
    benchmark:
        "<benchmarks>/{target}/{split}/group_users/{scheme}.tsv"
    conda:
        ENVIRONMENT
    params:
        groups=group_settings,
        shapley=dump(CONFIG.shapley),
        split=config_entry("split"),
        code=code("group_users"),
    message:
        "Grouping users: {wildcards.scheme} ({wildcards.split})"
    script:
        "../workflow_scripts/group_users.py"


rule embed_importance:
    input:
        importance=IMPORTANCE,
        features=per_user("features/{user}.parquet"),
    output:
        tsne="<results>/{target}/{split}/tsne.parquet",
    log:
        "<logs>/{target}/{split}/embed_importance.log",
    benchmark:
        "<benchmarks>/{target}/{split}/embed_importance.tsv"
    conda:
        ENVIRONMENT
    params:
        tsne=dump(CONFIG.tsne),
        code=code("embed_importance"),
    message:
        "Embedding windows by t-SNE ({wildcards.split})"
    script:
        "../workflow_scripts/embed_importance.py"


if SIMULATED:

    rule score_recovery:
        input:
            importance=MEASURED,
            groups=IMPORTANCE_GROUPS,
            truth=TRUTH,
        output:
            recovery="<results>/{target}/{split}/recovery.json",
        log:
            "<logs>/{target}/{split}/score_recovery.log",
        benchmark:
            "<benchmarks>/{target}/{split}/score_recovery.tsv"
        conda:
            ENVIRONMENT
        params:
            code=code("score_recovery"),
        message:
            "Comparing importance and groups with the planted truth ({wildcards.split})"
        script:
            "../workflow_scripts/score_recovery.py"
