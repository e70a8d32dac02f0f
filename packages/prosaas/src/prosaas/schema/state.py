"""Whether the schema is what the code needs: for `/api/ready`."""

from __future__ import annotations

from dataclasses import dataclass, field

import trueup
from prosaas.schema.chains import Chain, open_chains


@dataclass
class SchemaState:
    """What a look at the database found.

    Attributes:
        missing: Steps that have not run, and things that a step made and that are gone.
        differs: Things that are there with another definition. They are told, but do not keep the service from working.
        error: Why the database could not be judged; empty if it could.
    """

    missing: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether the code can work with this schema."""
        return not self.missing and not self.error


def look_at_schema(urls: trueup.Urls) -> SchemaState:
    """Compare the database with every chain, without changing anything."""
    state = SchemaState()
    with open_chains() as chains:
        for chain in chains:
            try:
                _look_at_chain(urls, chain, state)
            except trueup.DatabaseIsNewer:
                continue  # an older image in a rolling deployment: it has all we need
            except trueup.SchemaNotTrue as error:
                state.missing += error.missing
            except trueup.TrueupError as error:
                state.error = error.message
                break
    return state


def _look_at_chain(urls: trueup.Urls, chain: Chain, state: SchemaState) -> None:
    report = trueup.check(urls, chain.path, name=chain.name, options=trueup.Options(first_run=True))
    if report.true:
        return
    for drift in report.drift:
        if drift.found is None:
            state.missing.append(drift.fact)
        else:
            state.differs.append(f"{drift.fact}: wanted {drift.wanted}, found {drift.found}")
    if not report.up_to_date:
        state.missing += [step.id for step in report.steps if step.verdict != "skip"]
