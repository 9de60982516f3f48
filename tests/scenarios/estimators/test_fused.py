"""Estimators of models trained apart: scikit-learn's conventions, and answers that are those of the rules they name."""

import pickle
import warnings

import networkx as nx
import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import BayesianRidge, LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from coolgp import (
    PFNM,
    SPAHM,
    BlackBoxFusion,
    FusedClassifier,
    FusedRegressor,
    PersonalisedClassifier,
    PersonalisedRegressor,
    Setting,
)

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
WHO = np.array(["a", "b", "c"])[np.arange(len(Y)) % 3]
LOGISTIC = LogisticRegression(max_iter=500)
SMALL = {"experts.inducing": 6, "experts.iterations": 2}


def numbers(rows: int = 90, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, size=(rows, 2))
    return (
        x,
        np.sin(2 * x[:, 0]) + x[:, 1] + 0.1 * rng.normal(size=rows),
        np.array(["a", "b", "c"])[np.arange(rows) % 3],
    )


def owners_models(**settings: object) -> dict[str, object]:
    return {
        name: LogisticRegression(max_iter=500, **settings).fit(X[name == WHO], NAMES[name == WHO]) for name in "abc"
    }


SLOW = pytest.mark.slow
CONVENTIONS = [
    FusedRegressor(BayesianRidge(), n_owners=2, random_state=0),
    FusedClassifier(GaussianNB(), n_owners=2, random_state=0),
    PersonalisedRegressor(BayesianRidge(), n_owners=2, random_state=0),
    PersonalisedClassifier(GaussianNB(), n_owners=2, random_state=0),
    pytest.param(FusedRegressor(n_owners=2, rule="spahm", settings=SMALL, random_state=0), marks=SLOW),
    pytest.param(FusedRegressor(BayesianRidge(), rule="cigar", n_owners=2, random_state=0), marks=SLOW),
    pytest.param(FusedClassifier(n_owners=2, random_state=0), marks=SLOW),
    pytest.param(
        FusedClassifier("mlp", rule="pfnm", n_owners=2, settings={"experts.hidden": (5,)}, random_state=0), marks=SLOW
    ),
]


@pytest.mark.parametrize("estimator", CONVENTIONS, ids=repr)
def test_they_keep_the_conventions_of_scikit_learn(estimator: object) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_estimator(estimator)


def test_an_ensemble_is_the_mean_of_the_owners_own_models() -> None:
    fused = FusedClassifier(LOGISTIC).fit(X, NAMES, groups=WHO)
    own = [LogisticRegression(max_iter=500).fit(X[name == WHO], NAMES[name == WHO]) for name in "abc"]
    assert fused.owners_ == ("a", "b", "c")
    assert fused.predict_proba(X) == pytest.approx(np.mean([one.predict_proba(X) for one in own], axis=0), abs=1e-12)
    for name, one in zip("abc", own, strict=True):
        assert fused.predict_proba(X, owner=name) == pytest.approx(one.predict_proba(X), abs=1e-12)
        assert fused.predict(X, owner=name).tolist() == one.predict(X).tolist()


def test_a_rule_says_what_its_own_class_says() -> None:
    x, y, who = numbers()
    gps = FusedRegressor(rule="spahm", settings=SMALL, random_state=0).fit(x, y, groups=who)
    for came, needed in zip(
        gps.predict(x, True), SPAHM(prior_variance=1.0, learn=False).fuse(gps.estimators_).predict(x, True), strict=True
    ):
        assert came == pytest.approx(needed, rel=1e-9)
    linear = FusedRegressor(BayesianRidge(), rule="cigar").fit(x, y, groups=who)
    boxes = BlackBoxFusion(linear.estimators_, seed=linear._group.seed).fit()
    assert linear.predict(x) == pytest.approx(boxes.predict(x), rel=1e-9)
    setting = {"mass": 1.0, "noise_variance": 0.5}
    networks = FusedClassifier(
        "mlp",
        rule="pfnm",
        settings={"experts.hidden": (6,), **{f"fusion.{name}": value for name, value in setting.items()}},
    ).fit(X, NAMES, groups=WHO)
    rows = [(X[name == WHO], Y[name == WHO]) for name in "abc"]
    pfnm = PFNM(settings=(Setting(**setting),), seed=networks._group.seed).fuse(networks.estimators_, rows)
    assert networks.predict_proba(X) == pytest.approx(pfnm.network.predict_proba(X), rel=1e-9)


def test_an_exact_sum_is_the_same_over_any_graph() -> None:
    everyone = FusedClassifier(LOGISTIC, rule="ensemble").fit(X, NAMES, groups=WHO)
    for graph in ("star", nx.path_graph(["b", "a", "c"])):
        along = FusedClassifier(LOGISTIC, rule="ensemble", graph=graph).fit(X, NAMES, groups=WHO)
        by_name = {name: along.predict_proba(X, owner=name) for name in "abc"}
        assert along.predict_proba(X) == pytest.approx(everyone.predict_proba(X), abs=1e-12)
        assert by_name["b"] == pytest.approx(everyone.predict_proba(X, owner="b"), abs=1e-12)


def test_models_that_are_handed_over_are_fused_as_those_that_are_trained() -> None:
    trained, given = FusedClassifier(LOGISTIC).fit(X, NAMES, groups=WHO), FusedClassifier(prefit=owners_models())
    assert given.fit(X, NAMES).predict_proba(X) == pytest.approx(trained.predict_proba(X), abs=1e-12)
    frozen = FusedClassifier(prefit={name: FrozenEstimator(model) for name, model in owners_models().items()})
    copied = clone(frozen).fit(X, NAMES)
    assert copied.predict(X).tolist() == trained.predict(X).tolist()
    assert copied.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    with pytest.raises(ValueError, match=r"model of a is not fitted.*FrozenEstimator"):
        clone(given).fit(X, NAMES)


def test_a_cap_on_queries_is_kept_in_each_of_several_turns() -> None:
    x, y, who = numbers()
    plain, capped = (
        FusedRegressor(BayesianRidge(), rule="cigar", settings=settings).fit(x, y, groups=who)
        for settings in (None, {"experts.queries": 40})
    )
    assert capped.predict(x) == pytest.approx(plain.predict(x), rel=1e-9)
    with pytest.raises(ValueError, match="unlabelled rows have 3 inputs; X has 2"):
        plain.fit(x, y, unlabelled=np.zeros((5, 3)))


def test_rules_for_networks_take_numbers_too() -> None:
    x, y, who = numbers()
    model = FusedRegressor("mlp", rule="pfnm", settings={"experts.hidden": (6,), "experts.folds": 0}).fit(x, y, who)
    assert model.fused_.widths[0] <= 18
    with pytest.raises(ValueError, match="models that state a standard deviation"):
        model.predict(x, return_std=True)


def test_they_stand_in_pipelines_and_searches_and_learn_names() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["u", "v", "w", "z"])
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), FusedClassifier(random_state=0))
    assert cross_val_score(pipeline, frame, NAMES, cv=2).min() > 0.8
    search = GridSearchCV(pipeline, {"fusedclassifier__rule": ["ensemble", "cigar"]}, cv=2).fit(frame, NAMES)
    assert search.best_estimator_[-1].feature_names_in_.tolist() == ["u", "v", "w", "z"]
    with pytest.raises(ValueError, match="feature names should match"):
        search.best_estimator_[-1].predict(frame[["z", "w", "v", "u"]])


def test_groups_reach_an_estimator_inside_a_search() -> None:
    with sklearn.config_context(enable_metadata_routing=True):
        model = FusedClassifier(random_state=0).set_fit_request(groups=True)
        search = GridSearchCV(model, {"rule": ["ensemble"]}, cv=2).fit(X, NAMES, groups=WHO)
        x, y, owner = shifted(20, seed=0)
        own = PersonalisedRegressor(BayesianRidge()).set_fit_request(groups=True)
        folds = KFold(2, shuffle=True, random_state=0)
        fused, personal = (
            cross_val_score(each, x, y, params={"groups": owner}, cv=folds).mean()
            for each in (clone(own).set_score_request(groups=False), own.set_score_request(groups=True))
        )
    assert search.best_estimator_.owners_ == ("a", "b", "c")
    assert fused < 0.3 < 0.8 < personal


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"rule": "ensembel"}, 'fusion.rule: needed .*did you mean "ensemble"'),
        ({"rule": "pfnm"}, 'a: pfnm fuses the weights of neural networks.*take rule="ensemble"'),
        ({"rule": "pfnm", "estimator": MLPClassifier((3,), max_iter=5)}, 'b has 3, a has 2; estimator="mlp" has'),
        ({"estimator": BayesianRidge()}, "estimator needs a classifier of scikit-learn, or a name.*BayesianRidge"),
        ({"estimator": "svr"}, '"svr" learns regression; the data are of classification'),
        ({"settings": {"fusion.std": 1.0, "experts.count": 2}}, 'the rule "ensemble" does not take it'),
        ({"settings": {"experts.count": 2}}, "experts.count: owners are those of groups"),
        ({"graph": nx.path_graph(["a", "b"])}, "names of the 2 owners, such as 'a'; got c"),
        (
            {"prefit": owners_models(), "settings": {"fusion.weights": "classes"}},
            'fusion.weights: "classes" needs groups',
        ),
        ({"prefit": {"a": owners_models()["a"], "z": lambda x: x[:, 0]}}, "z: is a regressor and a a classifier"),
        ({"prefit": {"a": owners_models()["a"]}}, "prefit needs at least two fitted models; got 1"),
    ],
)
def test_what_cannot_be_fused_is_refused(parameters: dict, words: str) -> None:
    groups = None if words.startswith("fusion.weights") else np.where((WHO == "a") & (NAMES == "setosa"), "b", WHO)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sklearn.exceptions.ConvergenceWarning)
        with pytest.raises(ValueError, match=words):
            FusedClassifier(**parameters).fit(X, NAMES, groups)


def test_who_is_left_out_is_said_when_models_are_asked() -> None:
    def broken(x: np.ndarray) -> np.ndarray:
        raise RuntimeError("out of order")

    x, y, _ = numbers(30)
    models = {"a": lambda x: x[:, 0], "b": lambda x: x[:, 1], "broken": broken}
    model = FusedRegressor(prefit=models, settings={"experts.at_least": 2}).fit(x, y)
    assert "out of order" in model.remarks_[0]
    with pytest.warns(UserWarning, match=r"left out: broken: .*out of order"):
        assert model.predict(x) == pytest.approx(x.mean(axis=1))
    with pytest.raises(ValueError, match=r"broken: .*out of order"):
        FusedRegressor(prefit=models).fit(x, y)


def test_an_owner_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="owner needs the name of one of 3 owners, such as 'a'; got 'nobody'"):
        FusedClassifier().fit(X, NAMES, groups=WHO).predict(X, owner="nobody")


def shifted(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of five owners, of one function that each has shifted."""
    rng, owner = np.random.default_rng(seed), np.repeat(np.arange(5), rows)
    x = rng.uniform(-2, 2, size=(len(owner), 1))
    return x, np.sin(2 * x[:, 0]) + owner + 0.1 * rng.normal(size=len(owner)), owner


@pytest.mark.parametrize("estimator", ["sparse-gp", BayesianRidge()], ids=["parameters", "answers"])
def test_every_owner_has_a_model_of_its_own(estimator: object) -> None:
    settings = {"experts.inducing": 6, "experts.iterations": 10} if estimator == "sparse-gp" else None
    x, y, owner = shifted(10, seed=0)
    model = PersonalisedRegressor(estimator, settings=settings, random_state=0).fit(x, y, groups=owner)
    new, truth, whose = shifted(50, seed=1)
    error, common = ((truth - model.predict(new, groups=by)).std() for by in (whose, None))
    assert error < common / 2
    mean, std = model.predict(new, return_std=True, groups=whose)
    alone = model.personal_["3"].predict(new[whose == 3], return_std=True)
    assert mean[whose == 3] == pytest.approx(alone[0])
    assert std[whose == 3] == pytest.approx(alone[1])
    newcomer = model.newcomer(x[owner == 4], y[owner == 4], unlabelled=x)
    assert np.abs(newcomer.predict(new[whose == 4]) - truth[whose == 4]).mean() < 0.6
    with pytest.raises(ValueError, match=r"5 owners, such as '0'; got 9; newcomer\(X, y\)"):
        model.predict(new[:1], groups=[9])
    with pytest.raises(ValueError, match="fit had none"):
        PersonalisedRegressor(estimator, settings=settings).fit(x, y).predict(new, groups=whose)


def test_personal_classifiers_bear_the_users_labels_and_can_be_stored() -> None:
    owner = np.where(NAMES == "setosa", "one class", WHO)
    model = PersonalisedClassifier("logistic", random_state=0).fit(X, NAMES, groups=owner)
    assert set(model.predict(X, groups=owner)[NAMES == "setosa"]) == {"setosa"}
    assert np.mean(model.predict(X, groups=owner) == NAMES) > 0.9
    assert model.personal_["a"].classes_.tolist() == ["versicolor", "virginica"]
    stored = pickle.loads(pickle.dumps(model))
    assert stored.predict_proba(X, groups=owner) == pytest.approx(model.predict_proba(X, groups=owner))
    mine = model.newcomer(X[40:60], np.where(Y[40:60] == 0, "setosa", "new"), unlabelled=X)
    assert mine.classes_.tolist() == ["new", "setosa"]
