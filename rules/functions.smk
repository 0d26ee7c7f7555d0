# Inputs, outputs and params of rules that are computed: functions of wildcards, of users and of figures.


@functools.cache  # of all users, and evaluated for each of them
def folds_of_participants(name):
    """Folds in which users are tested as a whole, under a split of participants."""
    from lifelog.splits.subsets import unseen_folds  # needs packages that a lint has not

    split = CONFIG.split(name)
    return unseen_folds(USERS, split) if split.method == "participants" else {}


def unseen_fold(wildcards):
    """Fold in which a user is tested as a whole, None under another split."""
    return folds_of_participants(wildcards.split).get(wildcards.user)


def simulated_folder(wildcards):
    """Folder of a simulated user, which is the output of a rule; other recordings are tracked by fingerprint."""
    return FOLDERS[wildcards.user] if SIMULATED else []


@functools.cache  # Snakemake evaluates params more than once
def recordings_fingerprint(user):
    """Fingerprint of the user's recordings and labels: too many files to be inputs, and some hold all users."""
    if SIMULATED:
        return None
    name = CONFIG.cohort.layout
    state = LAYOUTS[name].fingerprint(user, Path(FOLDERS[user]), CONFIG.cohort)
    return f"{state} {LAYOUTS.version(name)}".rstrip()


def fingerprint_of_all(wildcards):
    """Digest of the fingerprints of all recordings and labels."""
    return digests({"recordings": [recordings_fingerprint(user) for user in USERS]})["recordings"]


def problems_of_recordings(wildcards):
    """Problems that are reported before any job."""
    return check_recordings(CONFIG, folders)


def of_schemes(schemes, value):
    """Function of wildcards: a value for some schemes, otherwise nothing."""
    return lambda wildcards: value if wildcards.scheme in schemes else []


def groups_of_scheme(wildcards):
    """Groups of a scheme, if it has any."""
    return [] if wildcards.scheme in UNGROUPED else ["<results>/{target}/{split}/groups/{scheme}.csv"]


def groups_of_models(models):
    """Groups of the schemes of some models, of those that have any."""
    schemes = sorted({scheme for _, scheme in models if scheme not in UNGROUPED})
    return [f"<results>/{{target}}/{{split}}/groups/{scheme}.csv" for scheme in schemes]


def group_settings(wildcards):
    """Settings of the groups that a scheme depends on."""
    return dump(CONFIG.groups) if wildcards.scheme == "random" else dump(CONFIG.groups, Scoring)


def predictions_of(models):
    """Predictions of models, given as pairs of predictor and scheme."""
    return [f"<results>/{{target}}/{{split}}/predictions/{predictor}/{scheme}.parquet" for predictor, scheme in models]


def settings_of(models):
    """Settings of the predictors of models, by name, without schemes: another one reruns only the job that trains it."""
    return {name: dump(CONFIG.predictor(name).model_copy(update={"schemes": "all"})) for name, _ in models}


def windows_if_seen(wildcards):
    """Windows of all users, for predictors that see windows."""
    return per_user("windows/{user}.parquet") if CONFIG.predictor(wildcards.predictor).inputs == "windows" else []


def pretrained_models(wildcards):
    """Files of pretrained models, for the predictor that uses them."""
    return list(getattr(CONFIG.predictor(wildcards.predictor), "models", {}).values())


def with_importance(files):
    """Function of wildcards: files, if importance is measured under the split, otherwise nothing."""
    return lambda wildcards: files if CONFIG.split(wildcards.split).importance else []


def has_groups(split):
    """Whether predictors are trained in importance groups under a split."""
    return "importance" in CONFIG.schemes and CONFIG.has_scheme("importance", CONFIG.split(split))


def if_grouped(files):
    """Function of wildcards: files, if predictors are trained in importance groups under the split."""
    return lambda wildcards: files if has_groups(wildcards.split) else []


def measured(files):
    """Function of wildcards: files of the split, or of the one that measures importance for it."""

    def of_split(wildcards):
        split = wildcards.split if CONFIG.split(wildcards.split).importance else CONFIG.describing
        found = expand(files, split=split, allow_missing=True) if has_groups(wildcards.split) else []
        return found[0] if isinstance(files, str) and found else found

    return of_split


def compared_models(wildcards):
    """Models that are compared under a split, as `predictor/scheme`."""
    return ["/".join(pair) for pair in CONFIG.models(CONFIG.split(wildcards.split))]


def compared_predictions(wildcards):
    """Predictions of all compared models, in the order of `compared_models`."""
    return predictions_of(CONFIG.models(CONFIG.split(wildcards.split)))


def grouped_importance(wildcards):
    """Importance that forms the groups of a scheme."""
    if not CONFIG.has_scheme(wildcards.scheme, CONFIG.split(wildcards.split)):
        raise WorkflowError(f"splits: {wildcards.split} has `importance: false`, so there are no such groups")
    return IMPORTANCE if wildcards.scheme == "attention" else measured(GROUPING)(wildcards)


def is_unseen(wildcards):
    """Whether groups are those of participants who are tested as a whole, of whom only features are known."""
    return wildcards.scheme == "importance" and CONFIG.split(wildcards.split).method == "participants"


def if_unseen_or(scheme, files):
    """Function of wildcards: files, if a scheme or participants who are tested as a whole need them."""
    return lambda wildcards: files if wildcards.scheme == scheme or is_unseen(wildcards) else []


def scores_of_groups(wildcards):
    """Scores of numbers of groups, which describe the participants."""
    return GROUP_SCORES if wildcards.scheme == "importance" and not is_unseen(wildcards) else []


def gap_minutes(wildcards):
    """Minimum time between the starts of windows of different subsets, in minutes."""
    return CONFIG.windows.seconds / 60 + CONFIG.split(wildcards.split).longest_embargo


def figure(path, page, **labels):
    """A figure that Snakemake's own report shows too."""
    caption, category = f"captions/{page}.rst", page.capitalize()
    return report(path, caption=caption, category=category, labels=labels)


def chapter_figures(page):
    """Figures of a page for a target and split."""
    folder, chapter = "<results>/{target}/{split}/figures", dict(target="{target}", split="{split}")
    return [figure(f"{folder}/{name}.svg", page, **chapter, figure=name) for name in figures_of(page)]


def chapter_data(page):
    """Tables beside the figures of a page."""
    return [f"<results>/{{target}}/{{split}}/figures/{name}.csv" for name in figures_of(page)]


def reported_run(wildcards):
    """Files of the whole run that the report reads."""
    from lifelog.report.files import run_files  # needs packages that a lint has not

    return [f"<results>/{file}" for file in run_files(USERS)]


def reported_chapters(wildcards):
    """Files of all targets and splits that the report reads."""
    from lifelog.report.files import chapter_files

    return [f"<results>/{file}" for chapter in CHAPTERS for file in chapter_files(CONFIG, chapter, USERS)]


def recordings_to_score(wildcards):
    """Folder of a simulated user, as of `simulated_folder`, if there is a bundle that scores it."""
    if not CONFIG.score.bundle:
        raise WorkflowError("score.bundle: set it to the folder of a bundle")
    return simulated_folder(wildcards)


@functools.cache  # its digests are checked each time
def bundled_predictor():
    """Name of the predictor of the bundle that scores recordings."""
    from lifelog.bundle.content import read_content

    return read_content(CONFIG.score.bundle).new.predictor["name"]


def trained_here(wildcards):
    """Predictions by the predictor of the bundle, trained with these recordings: one model, and one per user."""
    target, split = CHAPTERS[0].split("/")
    wanted = [(bundled_predictor(), scheme) for scheme in ("global", "personal")]
    models = [model for model in CONFIG.models(CONFIG.split(split)) if model in wanted]
    return [f"{CONFIG.results}/{target}/{split}/predictions/{name}/{scheme}.parquet" for name, scheme in models]
