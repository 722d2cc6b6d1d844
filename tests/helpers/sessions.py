"""Sessions with times that tests know."""

from kgen.studies.benchmark import session
from kgen.studies.benchmark.case import Case, Contestant

ENVIRONMENT = {"kgen": "1", "processor": "P", "gpus": []}


def case(**needs):
    """Returns a case of kgen and a rival that is half as fast; `needs` of others, by name."""
    others = {name: Contestant("nowhere:nobody", {"pace": 0.02}, need) for name, need in needs.items()}
    contestants = {"kgen": {"pace": 0.01}, "slow": {"pace": 0.02}}
    return Case("a walk", "images/s", {name: Contestant("m:f", each) for name, each in contestants.items()} | others)


def launcher(asked, drift=1.0, fails=()):
    """Returns a `launch` that notes in `asked` who was asked; each process is slower than the last by `drift`."""

    def launch(contestant, timing):
        if contestant is session.MACHINE:
            return {"environment": ENVIRONMENT}
        asked.append(contestant.arguments["pace"])
        if contestant.arguments["pace"] in fails:
            raise session.Failed("It broke.")
        pace = contestant.arguments["pace"] * drift ** len(asked)
        return {"first": 3.0, "seconds": [pace, pace * 1.5, pace * 0.9], "amount": 2, "peak_memory": 2**20, "others": 0}

    return launch


def measured(cases=None, rounds=2, against=(), saved=None, **how):
    """Returns a session and who was asked in which order."""
    asked = []
    keep = (lambda found: None) if saved is None else saved
    cases = cases or {"walk": case()}
    return session.measure(cases, rounds, against, keep, lambda words: None, launcher(asked, **how)), asked
