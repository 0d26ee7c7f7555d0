"""The technical terms of the report, to which their first use on each page links."""

from __future__ import annotations

import re
from typing import NamedTuple


class Term(NamedTuple):
    """A term: its names, the first one as heading, and its meaning."""

    names: tuple[str, ...]
    meaning: str

    @property
    def key(self) -> str:
        """Anchor on the page."""
        return "term-" + re.sub(r"\W+", "-", self.names[0].lower())


GLOSSARY = [
    Term(("window",), "A stretch of a recording of fixed length with one label; models predict the label of a window."),
    Term(("modality", "modalities"), "A sensor or a kind of signal, such as skin conductance or acceleration."),
    Term(("fold", "folds"), "A part of each recording that is tested by models that were not trained on it."),
    Term(("embargo",), "Windows beside test windows that are not used for training, since they are alike."),
    Term(
        ("value",),
        "Importance of a modality: how much it adds to the AUROC of a linear discriminant, on windows that were not "
        "used to fit it, averaged over the orders in which modalities can be added (Shapley value).",
    ),
    Term(
        ("attention",),
        "Weights with which the network combines modalities in a window. A modality can have weight without use.",
    ),
    Term(("ablation",), "Decrease of the log-likelihood of the true class when a modality is hidden from the network."),
    Term(("deletion curve", "deletion curves"), "Decrease of the prediction when modalities are removed one by one."),
    Term(("AOPCR",), "Area over the deletion curve, minus that of random orders; 0 if the order is not used."),
    Term(
        ("macro-F1",),
        "Mean over classes of F1, the harmonic mean of precision and recall; rare classes count as much as frequent "
        "ones.",
    ),
    Term(
        ("AUROC",),
        "Area under the ROC curve: the probability that a window of a class ranks above one of another class; .5 is "
        "chance.",
    ),
    Term(
        ("interval", "intervals"),
        "Range that holds the true mean in 95 of 100 studies (or as compare.confidence sets).",
    ),
    Term(("Holm",), "Correction of p-values for the number of tests."),
    Term(("primary test",), "The one test that was named in the configuration before the run."),
    Term(
        ("random groups", "random groupings"),
        "Groups of the same sizes, formed by chance. If importance groups are no better than these, smaller groups "
        "help, not importance.",
    ),
    Term(("silhouette",), "How much nearer participants are to their own cluster than to the next one, from -1 to 1."),
    Term(("BIC",), "Score of a mixture model that counts fit against number of parameters; the lowest is chosen."),
    Term(("adjusted Rand index", "Rand index"), "Agreement of two groupings: 1 if they are identical, 0 by chance."),
    Term(("Cochran's test",), "Test whether participants differ by more than the uncertainty of each."),
    Term(("log-loss",), "Mean negative logarithm of the probability of the true class; lower is better."),
    Term(("Brier score",), "Mean squared distance of probabilities and true classes; lower is better."),
    Term(
        ("calibration error",),
        "Mean distance between the probability of the predicted class and the share of right predictions.",
    ),
    Term(("temperature scaling",), "Making all probabilities less or more certain, by one number from validation."),
    Term(("quadratic kappa",), "Agreement beyond chance for ordered classes; far mistakes count more. 1 is perfect."),
    Term(("exploratory",), "Not the primary test: an idea for the next study, not evidence."),
    Term(
        ("lda",),
        "Linear discriminant: each class has a mean of the features, and a window gets the class that is nearest.",
    ),
    Term(("boosting",), "Gradient boosting: many small decision trees on features, each correcting the ones before."),
    Term(("mil",), "The multiple-instance network, which weighs modalities by attention, used as a predictor."),
    Term(("lifelognet",), "The network of the study, which predicts from maxima of five seconds."),
    Term(("global",), "One model for all participants."),
    Term(("personal",), "One model per participant, from the participant's own windows only."),
    Term(("pooled",), "A model per participant, in which the windows of the others count as a few own ones."),
    Term(("tuned",), "One network for all participants, whose training continues on each participant's windows."),
    Term(("blend",), "Mean of the probabilities of the global and the personal model, with a weight from validation."),
    Term(("class-shares",), "Control: groups of participants whose labels have similar frequencies; no sensors."),
    Term(("raw",), "Control: groups of participants with similar features, without importance."),
    Term(
        ("block of time", "blocks of time"),
        "Some minutes of a session, or one answer: its windows are not independent.",
    ),
    Term(
        ("blocked",),
        "A split that keeps whole sessions, or blocks of time, in one subset, so that neighbours do not leak.",
    ),
    Term(
        ("agreement of halves",),
        "Rank correlation of the values of modalities in two halves of a participant's recording; 1 if the order of "
        "modalities is the same, 0 if it is not repeated.",
    ),
    Term(("tau",), "Standard deviation of the true values between participants."),
    Term(("nats",), "Unit of log-likelihood: 0.69 nats are a factor of two in the probability."),
    Term(("mixture",), "Model of groups that is made of normal distributions, whose number is chosen by BIC."),
    Term(("leak",), "Something but the sensors shows the label, such as the time of the window."),
]
BY_NAME = {name.lower(): term for term in GLOSSARY for name in term.names}
NAMES = re.compile(rf"\b({'|'.join(sorted(map(re.escape, BY_NAME), key=len, reverse=True))})\b", re.IGNORECASE)
SKIPPED = {
    "a",
    "script",
    "style",
    "summary",
    "button",
    "pre",
    "code",
    "h2",
    "h3",
    "h4",
    "dt",
    "select",
    "td",
    "th",
    "strong",
}
TAG = re.compile(r"(<[^>]*>)")


def link_terms(html: str) -> str:
    """Link the first use of each term in the text of a page to the glossary.

    Parameters
    ----------
    html : str
        A page.

    Returns
    -------
    str
        The same page; text in links, headings, table cells and scripts stays as it is.
    """
    used: set[str] = set()

    def link(match: re.Match[str]) -> str:
        key = BY_NAME[match[0].lower()].key
        if key in used:
            return match[0]
        used.add(key)
        return f'<a class="term" href="#{key}">{match[0]}</a>'

    skipping: list[str] = []
    parts = TAG.split(html)
    for i, part in enumerate(parts):
        if i % 2 == 0:
            parts[i] = part if skipping else NAMES.sub(link, part)
        elif part.startswith("</"):
            if skipping and part[2:-1].strip() == skipping[-1]:
                skipping.pop()
        elif (name := part[1:].split(None, 1)[0].rstrip(">/")) in SKIPPED:
            skipping.append(name)
    return "".join(parts)
