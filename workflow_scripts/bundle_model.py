"""bundle_model: features, splits, labels and groups of all users → a bundle of the recommended or the named model."""

from pathlib import Path

from lifelog.bundle.card import PACKAGES, software_versions
from lifelog.bundle.content import About
from lifelog.bundle.files import write_bundle
from lifelog.bundle.make import Evidence, Grouping, Participant, make_bundle, some_windows, summarise_sensors
from lifelog.evaluate.calibration import constant_sentence
from lifelog.evaluate.use import use_sentences
from lifelog.files import read_json
from lifelog.groups.read import described_groups, included_users, read_groups
from lifelog.importance.table import read_importance
from lifelog.logs import job_log
from lifelog.predict.samples import read_people
from lifelog.settings.compare import Compare
from lifelog.settings.groups import Scoring
from lifelog.settings.importance import Shapley
from lifelog.settings.predict import predictor_from_params
from lifelog.settings.splits import Target, split_from_params
from lifelog.settings.windows import Cohort, Modality, Windows
from lifelog.tables import read_csv
from lifelog.windows.read import read_labels

with job_log(snakemake):
    inputs, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
    decision = read_json(inputs.verdict)["decision"]
    predictor = wildcards.get("predictor", decision["predictor"])
    scheme = wildcards.get("scheme", decision["recommended"])
    if scheme is None:
        remedy = f"a bundle of another model is made by its name: {params.folder}/bundles/PREDICTOR/SCHEME/card.md"
        raise ValueError(f"nothing is recommended ({decision['sentence']}); {remedy}")
    settings, compare = predictor_from_params(params.predictors[predictor]), Compare.from_params(params.compare)
    if settings.needs_torch:
        from lifelog.mil.device import use_threads

        use_threads(snakemake.threads)
    people = read_people(inputs.features, inputs.splits)
    grouped = {Path(path).stem: path for path in inputs.groups}
    features = people[0].features
    about = About(
        software=software_versions((*PACKAGES, "torch") if settings.needs_torch else PACKAGES),
        code=params.features_code,
        fingerprint=params.fingerprint,
        windows=Windows.from_params(params.windows),
        modalities=[Modality.from_params(entry) for entry in params.modalities],
        target=Target.from_params(params.target),
        split=split_from_params(params.split),
        compare=compare,
        features=features.names,
        bins=next(iter(features.maxima.values())).shape[1],
        participants=included_users([person.folds for person in people]).user.nunique(),
        recorded=len(people),
        windows_seen=some_windows(person.features for person in people),
    )
    directions = {Path(path).stem: read_csv(path) for path in inputs.directions}
    recommended = (predictor, scheme) == (decision["predictor"], decision["recommended"])
    sentences = [] if recommended else [f"This is not the recommended model. {decision['sentence']}"]
    sentences += [constant_sentence(read_csv(inputs.calibration), predictor, scheme)]
    sentences += use_sentences(read_csv(inputs.use), predictor, scheme, compare)
    grouping = None
    if inputs.importance:
        grouping = Grouping(
            described_groups(read_groups(*inputs.groups)),
            read_importance(inputs.importance),
            Scoring.from_params(params.groups),
            Shapley.from_params(params.shapley).shrinkage,
        )
    evidence = Evidence(
        summarise_sensors(read_csv(inputs.values[0]), directions) if inputs.values else summarise_sensors(None, {}),
        [sentence for sentence in sentences if sentence],
        read_json(inputs.curve[0])["sentence"] if inputs.curve else "",
        Cohort.from_params(params.cohort),
        grouping,
    )
    participants = [Participant(*pair) for pair in zip(people, map(read_labels, inputs.windows), strict=True)]
    groups = read_groups(grouped[scheme]) if scheme in grouped else None
    bundle = make_bundle(settings, scheme, about, participants, groups, evidence)
    write_bundle(bundle, Path(snakemake.output.content).parent)
