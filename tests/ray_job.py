"""KubeRay's RayJob as types, with the rules that its operator checks; unknown fields are refused.

After ``ray-operator/apis/ray/v1`` and ``controllers/ray/utils/validation.go`` of KubeRay 1.6. What
is inside a pod is left to Kubernetes' own schema.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Strings = dict[str, str]
LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class PodTemplate(Strict):
    metadata: dict[str, Any] = Field(default_factory=dict)
    spec: dict[str, Any]

    @model_validator(mode="after")
    def _has_a_container(self) -> Self:
        assert self.spec["containers"], "a group has at least one container"
        return self


class HeadGroup(Strict):
    rayStartParams: Strings
    template: PodTemplate
    serviceType: str = ""


class WorkerGroup(Strict):
    groupName: str
    replicas: Annotated[int, Field(ge=0)]
    minReplicas: Annotated[int, Field(ge=0)]
    maxReplicas: Annotated[int, Field(ge=1)]
    rayStartParams: Strings
    template: PodTemplate
    idleTimeoutSeconds: int | None = None
    numOfHosts: int = 1

    @model_validator(mode="after")
    def _replicas_in_order(self) -> Self:
        assert self.minReplicas <= self.replicas <= self.maxReplicas
        return self


class AutoscalerOptions(Strict):
    version: Literal["v1", "v2"] = "v1"
    idleTimeoutSeconds: int = 60
    upscalingMode: Literal["Default", "Aggressive", "Conservative"] = "Default"
    resources: dict[str, Any] | None = None


class AuthOptions(Strict):
    mode: Literal["disabled", "token"] = "token"


Group = HeadGroup | WorkerGroup


class RayCluster(Strict):
    rayVersion: str
    enableInTreeAutoscaling: bool = False
    autoscalerOptions: AutoscalerOptions | None = None
    authOptions: AuthOptions | None = None
    headGroupSpec: HeadGroup
    workerGroupSpecs: list[WorkerGroup]

    @property
    def groups(self) -> list[Group]:
        return [self.headGroupSpec, *self.workerGroupSpecs]

    @model_validator(mode="after")
    def _rules(self) -> Self:
        templates = [group.template for group in self.groups]
        version = self.autoscalerOptions and self.autoscalerOptions.version
        if self.enableInTreeAutoscaling and version == "v2":
            for template in templates:
                assert template.spec.get("restartPolicy", "Never") == "Never", "autoscaler v2"
                names = {e["name"] for c in template.spec["containers"] for e in c.get("env", [])}
                assert "RAY_enable_autoscaler_v2" not in names, "the version says it already"
        if self.authOptions and self.authOptions.mode == "token":
            number = tuple(map(int, self.rayVersion.split(".")[:2]))
            assert number >= (2, 52), "tokens need Ray 2.52"
        assert not any("labels" in group.rayStartParams for group in self.groups)
        return self


class Metadata(Strict):
    name: Annotated[str, Field(max_length=47)]
    namespace: str | None = None
    labels: Strings = Field(default_factory=dict)

    @model_validator(mode="after")
    def _a_dns_label(self) -> Self:
        assert LABEL.fullmatch(self.name), self.name
        return self


class RayJobSpec(Strict):
    entrypoint: str
    submissionMode: Literal["K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"]
    rayClusterSpec: RayCluster
    shutdownAfterJobFinishes: bool = False
    ttlSecondsAfterFinished: Annotated[int, Field(ge=0)] = 0
    activeDeadlineSeconds: Annotated[int, Field(gt=0, lt=2**31)]
    backoffLimit: Annotated[int, Field(ge=0)] = 0
    suspend: bool = False
    runtimeEnvYAML: str = ""
    entrypointNumCpus: float = 0
    metadata: Strings = Field(default_factory=dict)

    @model_validator(mode="after")
    def _rules(self) -> Self:
        assert self.shutdownAfterJobFinishes or not self.suspend
        assert self.shutdownAfterJobFinishes or not self.ttlSecondsAfterFinished
        volumes = self.rayClusterSpec.headGroupSpec.template.spec.get("volumes", [])
        if any("persistentVolumeClaim" in volume for volume in volumes):
            assert self.backoffLimit == 0, "two drivers would write to one volume"
        return self


class RayJob(Strict):
    apiVersion: Literal["ray.io/v1"]
    kind: Literal["RayJob"]
    metadata: Metadata
    spec: RayJobSpec
