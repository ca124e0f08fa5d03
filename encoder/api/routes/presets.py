"""Presets."""

from __future__ import annotations

from encoder.api import answers, presets
from encoder.api.operations import Operation
from encoder.api.routes.common import JSON_PROBLEMS
from encoder.model.key import Scope

PRESETS = (
    Operation(
        method="GET",
        path="/presets",
        operation_id="listPresets",
        summary="Presets, built-in ones and your own, and the members that they stand for",
        handler=presets.listed,
        scope=Scope.READ,
        answers={200: (answers.PresetsAnswer,)},
        problems=(503,),
    ),
    Operation(
        method="GET",
        path="/presets/{name}",
        operation_id="getPreset",
        summary="A preset",
        handler=presets.shown,
        scope=Scope.READ,
        answers={200: (answers.PresetAnswer,)},
        problems=(404, 503),
    ),
    Operation(
        method="PUT",
        path="/presets/{name}",
        operation_id="putPreset",
        summary="Keep a preset of your own, for the jobs to come; each change is a version",
        handler=presets.put,
        scope=Scope.WRITE,
        body="PresetBody",
        answers={200: (answers.PresetAnswer,)},
        problems=(409, *JSON_PROBLEMS),
    ),
    Operation(
        method="DELETE",
        path="/presets/{name}",
        operation_id="deletePreset",
        summary="Remove a preset of your own; jobs that it was used for keep what it said",
        handler=presets.remove,
        scope=Scope.WRITE,
        answers={204: ()},
        problems=(404, 409, 422, 503),
    ),
)
