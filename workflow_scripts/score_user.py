"""score_user: raw recordings of a user, and a bundle → scored windows, quality."""

from pathlib import Path

from lifelog.bundle.files import load_bundle
from lifelog.bundle.score import score_schema, score_windows
from lifelog.files import write_json
from lifelog.logs import job_log
from lifelog.settings.windows import Extraction, Modality, Recordings
from lifelog.tables import read_tables, write_table
from lifelog.windows.extract import extract_windows
from lifelog.windows.features import extract_features
from lifelog.windows.read import iter_windows, read_labels, write_features

with job_log(snakemake):
    params, outputs = snakemake.params, snakemake.output
    modalities = [Modality.from_params(entry) for entry in params.modalities]
    extraction = Extraction.from_params(params.extraction)
    windows = Path(outputs.features).with_suffix(".windows")
    try:  # in one process, most of whose time is the start: windows, features, predictions
        layout = Recordings.from_params(params.layout)
        user = snakemake.wildcards.user
        extract_windows(
            user, params.folder, layout, extraction, modalities, windows, outputs.quality, snakemake.threads
        )
        labels = read_labels(windows)
        features = extract_features(iter_windows(windows, modalities), labels, modalities, extraction.seconds)
    finally:
        windows.unlink(missing_ok=True)
    write_features(features, outputs.features)
    bundle = load_bundle(params.bundle)
    if bundle.new.settings.needs_torch:
        from lifelog.mil.device import use_threads

        use_threads(snakemake.threads)
    quality, same = read_tables([outputs.quality]), params.participants == "same"
    scored = score_windows(bundle, user, features, labels, quality, same)
    doubts = scored.about["doubts"]
    if bundle.about.code != params.features_code:
        version = bundle.about.software["lifelog"]
        doubts = [f"features are computed by other code than those of the bundle (lifelog {version})", *doubts]
    write_table(scored.table, outputs.scored, score_schema(bundle), {"classes": bundle.about.classes})
    write_json(scored.about | {"doubts": doubts}, outputs.about)
