"""Findings of `trueup lint` for people, for programs, for code scanning (SARIF 2.1.0) and as GitHub's annotations."""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from trueup import __version__
from trueup.chain.locks import MODES
from trueup.cli.output import colour, say
from trueup.planning.hazards import Finding, Level, Rule

_COLOURS = {Level.WARNING: "yellow", Level.NOTE: "blue", Level.INFO: "dim"}
_GITHUB = {Level.WARNING: "warning", Level.NOTE: "notice", Level.INFO: "notice"}
_SARIF = {Level.WARNING: "warning", Level.NOTE: "note", Level.INFO: "note"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def show(findings: Sequence[Finding], form: str, what: str) -> None:
    """Tell the findings; text to standard error, everything else to standard output."""
    if form == "json":
        click.echo(json.dumps(_document(findings), ensure_ascii=False))
    elif form == "sarif":
        click.echo(json.dumps(sarif(findings), ensure_ascii=False, indent=2))
    elif form == "github":
        for finding in findings:
            click.echo(annotation(finding))
    else:
        for finding in findings:
            _show_one(finding)
    if form in ("text", "github"):
        say(f"{what}: {_counted(findings)}")


def _document(findings: Sequence[Finding]) -> dict[str, Any]:
    counts = Counter(finding.level for finding in findings)
    return {
        "findings": [finding.to_json() for finding in findings],
        **{f"{level.value}s": counts[level] for level in Level},
    }


def _counted(findings: Sequence[Finding]) -> str:
    counts = Counter(finding.level for finding in findings)
    told = [f"{counts[level]} {level.value}{'s' if counts[level] > 1 else ''}" for level in Level if counts[level]]
    return ", ".join(told) or "nothing found"


def _show_one(finding: Finding) -> None:
    level = colour(finding.level.value, _COLOURS[finding.level])
    say(f"{finding.path}:{finding.line}: {level} {colour(finding.rule.id, 'bold')}: {finding.said}")
    if finding.level is not Level.WARNING:
        say(colour(f"    {finding.instead}", "dim"))
        for statement in finding.sends:
            say(colour(textwrap.indent(f"{statement};", "      "), "dim"))
        return
    if finding.locks:
        say(f"    locks    {_locks(finding)}")
    say(f"    why      {finding.why}")
    say(f"    instead  {finding.instead}")


def _locks(finding: Finding) -> str:
    return ", ".join(f"{MODES[mode]} on {relation}" for relation, mode in finding.locks.items())


def show_rules(rules: Iterable[Rule], *, as_json: bool) -> None:
    """Every rule with its level and what it is about."""
    rules = list(rules)
    if as_json:
        listed = [
            {"rule": r.id, "level": _usual(r).value, "about": r.title, "why": r.why, "instead": r.instead}
            for r in rules
        ]
        click.echo(json.dumps({"rules": listed}, ensure_ascii=False))
        return
    for rule in rules:
        say(f"{rule.id:<19} {_usual(rule).value:<8} {rule.title}")


def _usual(rule: Rule) -> Level:
    """The rule's level where nothing keeps `up` from its safe form."""
    return Level.NOTE if rule.sends else rule.level


def annotation(finding: Finding) -> str:
    """One workflow command, which GitHub shows beside the line."""
    message = f"{finding.said}. {finding.why} Instead: {finding.instead}"
    fields = {"file": finding.path, "line": str(finding.line), "title": f"{finding.rule.id} (trueup)"}
    told = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in fields.items())
    return f"::{_GITHUB[finding.level]} {told}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    for character in f"%\r\n{more}":  # per cent first: it is what the others become
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def sarif(findings: Sequence[Finding]) -> dict[str, Any]:
    """One SARIF 2.1.0 log."""
    rules = list({finding.rule.id: finding.rule for finding in findings}.values())
    index = {rule.id: position for position, rule in enumerate(rules)}
    driver = {
        "name": "trueup",
        "semanticVersion": __version__,
        "rules": [
            {
                "id": rule.id,
                "shortDescription": {"text": rule.title},
                "fullDescription": {"text": rule.why},
                "help": {"text": rule.instead},
                "defaultConfiguration": {"level": _SARIF[_usual(rule)]},
            }
            for rule in rules
        ],
    }
    results = [
        {
            "ruleId": finding.rule.id,
            "ruleIndex": index[finding.rule.id],
            "level": _SARIF[finding.level],
            "message": {"text": f"{finding.said}. {finding.why} Instead: {finding.instead}"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": Path(finding.path).as_posix()},
                        "region": {"startLine": finding.line},
                    },
                },
            ],
            "partialFingerprints": {"step/v1": _fingerprint(finding)},
        }
        for finding in findings
    ]
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _fingerprint(finding: Finding) -> str:
    """The same for the same finding, wherever its lines move."""
    return hashlib.sha256(f"{finding.rule.id}\0{finding.step}\0{finding.said}".encode()).hexdigest()[:32]
