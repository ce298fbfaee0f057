"""Faults as people order them: ``rate=0.2,kind=503,path=/users``."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from graphsim.trouble.faults import Fault, checked, of_kind


class FaultBody(msgspec.Struct, forbid_unknown_fields=True):
    """A fault of a ``kind`` (see ``faults.KINDS``), or one with a status and code of its own.

    What is given replaces what the kind says; ``times`` left out is once for a status and without end for a kind.
    """

    kind: str = ""
    status: int | None = None
    code: str | None = None
    path_contains: str = ""
    retry_after: int | None = None
    times: int | None = None
    rate: float = 1.0
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultRule:
    """A fault for one tenant, by its number, or for all."""

    body: FaultBody
    tenant: int | None = None


class _Words(msgspec.Struct, forbid_unknown_fields=True):
    kind: str = ""
    status: int | None = None
    code: str | None = None
    path: str = ""
    after: int | None = None
    times: int | None = None
    rate: float = 1.0
    seconds: float | None = None
    tenant: int | None = None


def made(body: FaultBody) -> Fault:
    """The fault that was ordered; ``ValueError`` says what can't be."""
    if not body.kind and body.status is None:
        raise ValueError("a fault has a kind or a status")
    fault = of_kind(body.kind) if body.kind else Fault(code="ServiceUnavailable")
    given = {
        name: value
        for name in ("status", "code", "retry_after", "times", "seconds")
        if (value := getattr(body, name)) is not None
    }
    return checked(replace(fault, path_contains=body.path_contains, rate=body.rate, **given))


def read_rule(text: str) -> FaultRule:
    """A rule from ``rate=0.2,kind=503,path=/users,tenant=0,times=5,after=7,seconds=3``; ``ValueError`` says why not."""
    pairs = [part.partition("=") for part in text.split(",")]
    try:
        words = msgspec.convert({name.strip(): value.strip() for name, _, value in pairs}, _Words, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    body = FaultBody(
        kind=words.kind,
        status=words.status,
        code=words.code,
        path_contains=words.path,
        retry_after=words.after,
        times=words.times,
        rate=words.rate,
        seconds=words.seconds,
    )
    made(body)
    return FaultRule(body=body, tenant=words.tenant)
