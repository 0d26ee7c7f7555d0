SHAPLEY = per_user("{target}/{split}/shapley/{user}.parquet")


rule estimate_shapley:
    input:
        features="<results>/features/{user}.parquet",
        splits="<results>/{target}/{split}/splits/{user}.parquet",
    output:
        shapley="<results>/{target}/{split}/shapley/{user}.parquet",
        directions="<results>/{target}/{split}/directions/{user}.csv",
    log:
        "<logs>/{target}/{split}/estimate_shapley/{user}.log",
    benchmark:
        "<benchmarks>/{target}/{split}/estimate_shapley/{user}.tsv"
    conda:
        ENVIRONMENT
    params:
        shapley=dump(CONFIG.shapley),
        code=code("estimate_shapley"),
    message:
        "Estimating the Shapley values of the modalities of user {wildcards.user} ({wildcards.split})"
    script:
        "../workflow_scripts/estimate_shapley.py"


rule compare_shapley:
    input:
        shapley=SHAPLEY,
    output:
        values="<results>/{target}/{split}/shapley.csv",
        heterogeneity="<results>/{target}/{split}/heterogeneity.csv",
    log:
        "<logs>/{target}/{split}/compare_shapley.log",
    benchmark:
        "<benchmarks>/{target}/{split}/compare_shapley.tsv"
    conda:
        ENVIRONMENT
    params:
        shapley=dump(CONFIG.shapley),
        groups=dump(CONFIG.groups, Scoring),
        code=code("compare_shapley"),
    message:
        "Comparing the Shapley values of modalities between users ({wildcards.split})"
    script:
        "../workflow_scripts/compare_shapley.py"
