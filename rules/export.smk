WITH_IMPORTANCE = [chapter for chapter in CHAPTERS if CONFIG.split(chapter.split("/")[1]).importance]


# One tidy table each of predictions, importance and groups, with a data dictionary, and tables for SPSS, R and
# spreadsheets; requested by its name.
rule export:
    input:
        verdicts=expand("<results>/{c}/verdict.json", c=CHAPTERS),
        importance=expand("<results>/{c}/importance_scores.csv", c=WITH_IMPORTANCE),
    output:
        predictions="<results>/export/predictions.parquet",
        importance="<results>/export/importance.parquet",
        groups="<results>/export/groups.parquet",
        dictionary="<results>/export/dictionary.csv",
        participants_csv="<results>/export/participants.csv",
        participants_sav="<results>/export/participants.sav",
        windows_csv="<results>/export/windows.csv",
        windows_sav="<results>/export/windows.sav",
        labels="<results>/export/labels.csv",
    log:
        "<logs>/export.log",
    benchmark:
        "<benchmarks>/export.tsv"
    conda:
        ENVIRONMENT
    params:
        chapters=[f"{CONFIG.results}/{chapter}" for chapter in CHAPTERS],
        decide=CONFIG.compare.decide,
        code=code("export"),
    message:
        "Exporting predictions, importance, groups, participants and windows"
    script:
        "../workflow_scripts/export.py"
