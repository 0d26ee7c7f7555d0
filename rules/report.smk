# Runs before all other jobs, since a version records whether a verdict exists; earlier versions are kept.
rule write_plan:
    output:
        plan=update("<results>/plan.json"),
    log:
        "<logs>/write_plan.log",
    benchmark:
        "<benchmarks>/write_plan.tsv"
    priority: 100
    localrule: True
    conda:
        ENVIRONMENT
    params:
        config=dump(CONFIG),
        primary=CONFIG.primary._asdict() | {"metric": CONFIG.compare.metric},
        recordings=fingerprint_of_all,
        code=code("write_plan"),
    message:
        "Writing the plan"
    script:
        "../workflow_scripts/write_plan.py"


rule plot_yield:
    input:
        quality=per_user("quality/{user}.parquet"),
    output:
        figure=figure("<results>/figures/yield.svg", "cohort", figure="yield"),
        data="<results>/figures/yield.csv",
    log:
        "<logs>/plot_yield.log",
    benchmark:
        "<benchmarks>/plot_yield.tsv"
    conda:
        ENVIRONMENT
    params:
        users=USERS,
        modalities=[modality.name for modality in CONFIG.modalities],
        code=code("plot_yield"),
    message:
        "Plotting the data yield"
    script:
        "../workflow_scripts/plot_yield.py"


rule plot_importance:
    input:
        importance=MEASURED,
        values="<results>/{target}/{split}/shapley.csv",
        deletion=DELETION,
        truth=[TRUTH] if SIMULATED else [],
    output:
        figures=chapter_figures("importance"),
        data=chapter_data("importance"),
    log:
        "<logs>/{target}/{split}/plot_importance.log",
    benchmark:
        "<benchmarks>/{target}/{split}/plot_importance.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code("plot_importance"),
    message:
        "Plotting importance ({wildcards.split})"
    script:
        "../workflow_scripts/plot_importance.py"


rule plot_users:
    input:
        splits=per_user("{target}/{split}/splits/{user}.parquet"),
        importance=IMPORTANCE,
        shapley=SHAPLEY,
        descriptions=expand(rules.train_mil.output.descriptions, user=USERS, allow_missing=True),
        quality=per_user("quality/{user}.parquet"),
        features=per_user("features/{user}.parquet"),
        directions=per_user("{target}/{split}/directions/{user}.csv"),
    output:
        # Not in Snakemake's own report, whose labels cannot distinguish users.
        # Folders: Snakemake compares every file of the workflow with every output of a rule.
        users=directory("<results>/{target}/{split}/figures/users"),
        days=directory("<results>/{target}/{split}/figures/days"),
    log:
        "<logs>/{target}/{split}/plot_users.log",
    benchmark:
        "<benchmarks>/{target}/{split}/plot_users.tsv"
    conda:
        ENVIRONMENT
    params:
        users=USERS,
        zones={user: CONFIG.cohort.zone(user) for user in USERS},
        code=code("plot_users"),
    message:
        "Plotting labels, features, training and importance of each user ({wildcards.split})"
    script:
        "../workflow_scripts/plot_users.py"


rule plot_groups:
    input:
        importance=GROUPING,
        groups=IMPORTANCE_GROUPS,
        scores=GROUP_SCORES,
        tsne="<results>/{target}/{split}/tsne.parquet",
    output:
        figures=chapter_figures("groups"),
        data=chapter_data("groups"),
    log:
        "<logs>/{target}/{split}/plot_groups.log",
    benchmark:
        "<benchmarks>/{target}/{split}/plot_groups.tsv"
    conda:
        ENVIRONMENT
    params:
        vectors=dump(CONFIG.groups, Vectors),
        code=code("plot_groups"),
    message:
        "Plotting groups ({wildcards.split})"
    script:
        "../workflow_scripts/plot_groups.py"


rule plot_comparison:
    input:
        predictions=compared_predictions,
        comparison="<results>/{target}/{split}/comparison.csv",
        curve=with_importance("<results>/{target}/{split}/learning_curve.json"),
    output:
        figures=chapter_figures("comparison"),
        data=chapter_data("comparison"),
    log:
        "<logs>/{target}/{split}/plot_comparison.log",
    benchmark:
        "<benchmarks>/{target}/{split}/plot_comparison.tsv"
    conda:
        ENVIRONMENT
    params:
        models=compared_models,
        target=config_entry("target"),
        compare=dump(CONFIG.compare) | {"predictor": CONFIG.primary.predictor},
        code=code("plot_comparison"),
    message:
        "Plotting the comparison ({wildcards.split})"
    script:
        "../workflow_scripts/plot_comparison.py"


rule plot_verdict:
    input:
        comparisons=expand("<results>/{c}/comparison.csv", c=CHAPTERS),
    output:
        figure=figure("<results>/figures/verdict.svg", "overview", figure="verdict"),
        data="<results>/figures/verdict.csv",
    log:
        "<logs>/plot_verdict.log",
    benchmark:
        "<benchmarks>/plot_verdict.tsv"
    conda:
        ENVIRONMENT
    params:
        chapters=CHAPTERS,
        compare=dump(CONFIG.compare),
        code=code("plot_verdict"),
    message:
        "Plotting the verdict"
    script:
        "../workflow_scripts/plot_verdict.py"


rule compare_published:
    input:
        importance=IMPORTANCE,
        groups=IMPORTANCE_GROUPS,
        scores=GROUP_SCORES,
    output:
        published="<results>/{target}/{split}/published.json",
    log:
        "<logs>/{target}/{split}/compare_published.log",
    benchmark:
        "<benchmarks>/{target}/{split}/compare_published.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code("compare_published"),
    message:
        "Comparing with the figures printed in the study ({wildcards.split})"
    script:
        "../workflow_scripts/compare_published.py"


rule plot_dag:
    output:
        figure=figure("<results>/figures/dag.svg", "run", figure="rules"),
        data="<results>/figures/dag.csv",
    log:
        "<logs>/plot_dag.log",
    benchmark:
        "<benchmarks>/plot_dag.tsv"
    # It only plans the workflow: no reason to wait in the queue of a cluster.
    localrule: True
    conda:
        ENVIRONMENT
    params:
        config=config,
        target=f"{CONFIG.results}/report.html",
        code=code("plot_dag"),
    message:
        "Plotting the rules of this run"
    script:
        "../workflow_scripts/plot_dag.py"


rule render_report:
    input:
        run=reported_run,
        chapters=reported_chapters,
    output:
        page=figure("<results>/report.html", "run", figure="whole page"),
        answers="<results>/answers.md",
        card="<results>/model_card.md",
        bibliography="<results>/references.bib",
    log:
        "<logs>/render_report.log",
    benchmark:
        "<benchmarks>/render_report.tsv"
    conda:
        ENVIRONMENT
    params:
        config=dump(CONFIG),
        chapters=CHAPTERS,
        users=USERS,
        code=code("render_report", *(predictor.name for predictor in CONFIG.predictors)),
    message:
        "Writing the report"
    script:
        "../workflow_scripts/render_report.py"


rule sheets:
    input:
        "<results>/sheets",


rule write_sheets:
    input:
        run=reported_run,
        chapters=reported_chapters,
    output:
        sheets=directory("<results>/sheets"),
    log:
        "<logs>/write_sheets.log",
    benchmark:
        "<benchmarks>/write_sheets.tsv"
    conda:
        ENVIRONMENT
    params:
        config=dump(CONFIG),
        chapter=CHAPTERS[0],
        users=USERS,
        code=code("write_sheets"),
    message:
        "Writing a sheet for each participant"
    script:
        "../workflow_scripts/write_sheets.py"
