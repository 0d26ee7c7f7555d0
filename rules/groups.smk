rule score_groups:
    input:
        importance=expand("<results>/{{target}}/{{split}}/importance/{user}.parquet", user=USERS),
    output:
        scores="<results>/{target}/{split}/groups/scores.csv",
    log:
        "<logs>/{target}/{split}/score_groups.log",
    benchmark:
        "<benchmarks>/{target}/{split}/score_groups.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        groups=section("groups", *SCORING),
        code=code("groups/vectors", "groups/clustering"),
    message:
        "Scoring numbers of groups ({wildcards.split})"
    script:
        "../workflow_scripts/score_groups.py"


rule score_importance:
    input:
        importance=rules.score_groups.input.importance,
        deletion=expand("<results>/{{target}}/{{split}}/deletion/{user}.parquet", user=USERS),
    output:
        scores="<results>/{target}/{split}/importance_scores.csv",
    log:
        "<logs>/{target}/{split}/score_importance.log",
    benchmark:
        "<benchmarks>/{target}/{split}/score_importance.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        groups=section("groups", *VECTORS),
        code=code("groups/vectors", "groups/faithfulness"),
    message:
        "Asking how far importance may be believed ({wildcards.split})"
    script:
        "../workflow_scripts/score_importance.py"


rule group_users:
    input:
        importance=rules.score_groups.input.importance,
        scores=lambda wildcards: (
            "<results>/{target}/{split}/groups/scores.csv"
            if wildcards.scheme == "importance"
            else []
        ),
        groups=lambda wildcards: (
            "<results>/{target}/{split}/groups/importance.csv"
            if wildcards.scheme.startswith(("raw", "random"))
            else []
        ),
        features=lambda wildcards: (
            expand("<results>/features/{user}.parquet", user=USERS)
            if wildcards.scheme == "raw"
            else []
        ),
    output:
        groups="<results>/{target}/{split}/groups/{scheme}.csv",
        settings="<results>/{target}/{split}/groups/{scheme}.json",
    log:
        "<logs>/{target}/{split}/group_users/{scheme}.log",
    benchmark:
        "<benchmarks>/{target}/{split}/group_users/{scheme}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        groups=lambda wildcards: section("groups", *scheme_keys(wildcards.scheme)),
        code=code("groups/vectors", "groups/clustering", "groups/assignment"),
    message:
        "Grouping users: {wildcards.scheme} ({wildcards.split})"
    script:
        "../workflow_scripts/group_users.py"


rule embed_importance:
    input:
        importance=rules.score_groups.input.importance,
        features=expand("<results>/features/{user}.parquet", user=USERS),
    output:
        embedding="<results>/{target}/{split}/embedding.parquet",
    log:
        "<logs>/{target}/{split}/embed_importance.log",
    benchmark:
        "<benchmarks>/{target}/{split}/embed_importance.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        groups=section("groups", *VECTORS, "perplexity", "embedding_seed"),
        code=code("groups/vectors", "groups/embedding"),
    message:
        "Drawing windows together by likeness: t-SNE ({wildcards.split})"
    script:
        "../workflow_scripts/embed_importance.py"


if SIMULATED:

    rule score_recovery:
        input:
            importance=rules.score_groups.input.importance,
            groups="<results>/{target}/{split}/groups/importance.csv",
            truth=TRUTH,
        output:
            recovery="<results>/{target}/{split}/recovery.json",
        log:
            "<logs>/{target}/{split}/score_recovery.log",
        benchmark:
            "<benchmarks>/{target}/{split}/score_recovery.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=growing(15),
        params:
            groups=section("groups", *VECTORS),
            code=code("groups/vectors", "groups/recovery"),
        message:
            "Holding importance and groups against what was planted ({wildcards.split})"
        script:
            "../workflow_scripts/score_recovery.py"
