"""A newcomer's classifier from classifiers of others that only answer: prototypes of its classes."""

from __future__ import annotations

from pathlib import Path

from coolgp.agents.experts.formats.files import read_model_file
from coolgp.fusion.personalise.outcome import PersonalClassifier, PersonalReport, Request
from coolgp.fusion.prototypes.fusion import TaskAgnosticFusion

__all__ = ["from_boxes"]


def from_boxes(request: Request) -> PersonalClassifier:
    """Raises ValueError without rows that have no labels, and where models are no classifiers."""
    if request.unlabelled is None:
        raise ValueError("classifiers that only answer need rows without labels: give unlabelled")
    models = [read_model_file(model) if isinstance(model, str | Path) else model for model in request.models]
    task = TaskAgnosticFusion(graph=request.graph).fit(models, request.unlabelled).adapt(request.x, request.y)
    lines = dict(line.split(": ", 1) for line in str(task.report).splitlines() if ": " in line)
    lines.pop("examples", None)
    report = PersonalReport(
        chosen="prototypes of the newcomer's classes",
        why=f"all {len(models)} models are classifiers that answer, and there are rows without labels",
        rows=len(request.y),
        details=lines,
    )
    return PersonalClassifier(task, report, task.classes_, None)
