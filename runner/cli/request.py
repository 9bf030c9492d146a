"""The command line of ``runner matrix``, and what contradicts itself in it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from runner import executors
from runner.errors import UsageError
from runner.judge.budget import MOST_ROUNDS, Further

OUT = Path("out")


@dataclass(frozen=True, slots=True)
class Request:
    """The command line of ``runner matrix``."""

    set_name: str | None
    only: tuple[str, ...]
    probes: tuple[str, ...]
    settings: tuple[str, ...]
    executor: str
    device: str
    rounds: int | None
    max_rounds: int | None
    budget_s: float | None
    keep: int | None
    keep_free: float | None
    seed: int
    jobs: int
    builds: int
    timeout_s: float | None
    data: tuple[str, ...]
    offline: bool
    baseline: str | None
    alpha: float
    floor: float
    fresh: bool
    keep_failed: bool
    dry_run: bool
    out: Path
    everything: bool
    format_: str
    history: Path | None = None
    no_history: bool = False
    wheels: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    against: str | None = None
    script: Path | None = None
    metrics: tuple[str, ...] = ()
    network: bool = False
    extra: tuple[str, ...] = ()
    pytest: tuple[str, ...] = ()
    install: str | None = None
    pull_from: str = ""
    explain: bool = False
    scheduler: str | None = None
    cluster: str | None = None
    tls: Path | None = None
    insecure: bool = False
    block_minutes: float | None = None

    @property
    def evicts(self) -> bool:
        """Whether images are evicted during the run."""
        return self.keep is not None or self.keep_free is not None

    def check(self) -> None:
        """Raises UsageError for options that contradict each other."""
        self._check_builds()
        self._check_own_code()
        self._check_cluster()
        if self.max_rounds and self.max_rounds < (self.rounds or 1):
            raise UsageError(f"--max-rounds {self.max_rounds} is less than --rounds {self.rounds}")
        if self.budget_s and not self.max_rounds and (self.rounds or 1) >= MOST_ROUNDS:
            raise UsageError(
                f"--rounds {self.rounds} leaves no further round for --budget, which takes up to {MOST_ROUNDS}: "
                "leave out one of them, or give --max-rounds"
            )
        self._check_registry()
        for option, given in (("--max-rounds", self.max_rounds), ("--budget", self.budget_s)):
            if given and self.evicts:
                raise UsageError(f"{option} needs all images at once: it does not go with --keep or --keep-free")

    def _check_registry(self) -> None:
        """The registry of ``--pull-from``."""
        if not self.pull_from:
            return
        from runner.images import registry

        if not executors.pulls(self.executor):
            raise UsageError(f"--pull-from: --executor {self.executor} uses no images; leave out one of them")
        try:
            registry.check(self.pull_from)
        except UsageError as error:
            raise UsageError(f"--pull-from: {error}") from None

    def _check_builds(self) -> None:
        """The options of builds in the place of releases."""
        builds = bool(self.wheels or self.sources)
        if self.against and not builds:
            raise UsageError("--against names the release to compare a --source or --wheel with; give one of them")
        if self.against and self.baseline:
            raise UsageError("--against and --baseline both choose what is compared; give one of them")
        if builds and not executors.installs(self.executor):
            raise UsageError(f"--executor {self.executor} installs nothing: it does not go with --source or --wheel")

    def _check_own_code(self) -> None:
        """The options of a script and of tests."""
        if self.script is not None and self.pytest:
            advice = "run one after the other (only the tests have the library of --install)"
            raise UsageError(f"--script and --pytest do not go together: {advice}")
        if self.metrics and self.script is None:
            raise UsageError("--metric is a figure that a script prints: give the script with --script")
        if self.network and self.script is None:
            raise UsageError("--network is for a script: give it with --script; probes and tests reach no network")
        if self.extra and self.script is None and not self.pytest:
            advice = "give it with --script or --pytest; `packages` of a set are for its probes"
            raise UsageError(f"--with is for a script and for tests: {advice}")
        if self.extra and not executors.installs(self.executor):
            raise UsageError(f"--with: --executor {self.executor} installs nothing; install it there yourself")
        if self.install is not None and not self.pytest:
            raise UsageError("--install goes with --pytest: name the folder with the tests")

    @property
    def elsewhere(self) -> bool:
        """Whether the cells run on a cluster."""
        return self.scheduler is not None or self.cluster is not None

    def _check_cluster(self) -> None:
        """The options of a cluster."""
        if self.scheduler is not None and self.cluster is not None:
            raise UsageError("--scheduler is one that runs already, --cluster starts one; give one of them")
        if self.scheduler is None and (self.tls or self.insecure):
            option = "--tls" if self.tls else "--insecure"
            raise UsageError(f"{option} goes with --scheduler; --cluster makes keys by itself")
        if not self.elsewhere and self.block_minutes is not None:
            raise UsageError("--block-minutes goes with --scheduler or --cluster")
        if self.elsewhere:
            from runner.cluster.launch import Where

            Where.of(self.scheduler, self.cluster, self.tls, insecure=self.insecure)
        if self.elsewhere and (self.evicts or self.keep_failed):
            option = "--keep-failed" if self.keep_failed else "--keep and --keep-free"
            raise UsageError(f"{option}: only for what this machine runs, not with --scheduler or --cluster")

    def further(self, of_set: float | None) -> Further:
        """The rounds that follow the first ones.

        ``of_set``: the set's own budget, in seconds.
        """
        budget_s = self.budget_s
        if budget_s is None and not (self.rounds or self.max_rounds or self.evicts):
            budget_s = of_set
        if self.explain and budget_s is not None:
            budget_s /= 2  # the other half is for what is found
        return Further(self.max_rounds or (MOST_ROUNDS if budget_s else 0), budget_s)

    def notes(self, of_set: float | None) -> tuple[str, ...]:
        """What the user must know about the rounds."""
        if of_set is None or not self.evicts or self.rounds:
            return ()
        option = "--keep" if self.keep is not None else "--keep-free"
        return (f"one round: {option} runs one environment after the other, so that nothing can be measured again",)

    def invocation(self) -> str:
        """The arguments that decide what is measured and where it goes, for a shell.

        Defaults are left out.
        """
        words: list[str] = []
        for option, value, default in (
            ("--set", self.set_name, None),
            ("--executor", self.executor, "auto"),
            ("--device", self.device, "cpu"),
            ("--seed", self.seed, 0),
            ("--out", self.out, OUT),
        ):
            if value != default:
                words += [option, str(value)]
        if self.timeout_s is not None:
            words += ["--timeout", f"{self.timeout_s:g}"]
        if self.offline:
            words.append("--offline")
        for path in self.data:
            words += ["--data", path]
        words += ["--script", str(self.script)] if self.script else []
        words += ["--network"] if self.network else []
        for package in self.extra:
            words += ["--with", package]
        for metric in self.metrics:
            words += ["--metric", metric]
        for setting in self.settings:
            words += ["--setting", setting]
        words += [word for wheel in self.wheels for word in ("--wheel", wheel)]
        words += [word for source in self.sources for word in ("--source", source)]
        words += ["--against", self.against] if self.against else []
        words += ["--install", self.install] if self.install is not None else []
        for tests in self.pytest:  # an option without a value is the last one
            words += ["--pytest", tests] if tests else ["--pytest"]
        return shlex.join(words)
