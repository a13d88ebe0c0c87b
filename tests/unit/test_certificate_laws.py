"""Whatever people try in whatever order: only what the procedure allows happens, and the register says so."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from certificates import NAME, PROGRAMME, WINDOW, Desk, no_packets, small_bundle
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from publishing.certificates import lifecycle
from publishing.certificates.history import histories
from publishing.certificates.keyring import Keyring
from publishing.certificates.lifecycle import Act, StepRefused
from publishing.certificates.register import faults_of

ACT = Act("某人", "理由")
DAYS = 7


@dataclass
class Expected:
    """What a clerk with a good memory knows of one revision."""

    standing: str = "draft"
    closes: int = 0
    signed: set[str] = field(default_factory=set)
    open: set[str] = field(default_factory=set)
    asked: int = 0
    accepted: bool = False


class Procedure(RuleBasedStateMachine):
    """People draft, show, ask, rule, sign, issue and revoke at will, on days that pass."""

    pristine: Desk

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.stack = contextlib.ExitStack()
        self.stack.enter_context(mock.patch.object(lifecycle, "write_bundle", small_bundle))
        self.stack.enter_context(mock.patch.object(lifecycle, "verify_release", lambda _: []))
        self.day = 0
        self.known: list[Expected] = []

    @initialize()
    def begin(self) -> None:
        self.desk = Desk(self.folder / "home", self.pristine.signers)
        self.desk.keyring.parent.mkdir(parents=True)
        shutil.copy(self.pristine.keyring, self.desk.keyring)

    def teardown(self) -> None:
        self.stack.close()
        shutil.rmtree(self.folder)

    @contextlib.contextmanager
    def allowed(self, expected: bool) -> Iterator[None]:
        """The step succeeds if and only if the clerk expects it to."""
        before = self.desk.register.read_bytes() if self.desk.register.exists() else b""
        try:
            yield
        except StepRefused as refused:
            assert not expected, f"refused: {refused}"
            assert (self.desk.register.read_bytes() if self.desk.register.exists() else b"") == before
        else:
            assert expected, "happened against the procedure"

    def pick(self, back: int) -> tuple[str, Expected]:
        """The latest revision, or one before it; a revision that nobody drafted is a blank."""
        number = len(self.known) - back
        if number < 1:
            return NAME.replace("-r1", "-r99"), Expected(standing="none")
        return NAME.replace("-r1", f"-r{number}"), self.known[number - 1]

    @rule(days=st.integers(1, 9))
    def days_pass(self, days: int) -> None:
        self.day += days
        self.desk.clock.pass_days(days)

    @rule()
    def draft(self) -> None:
        expected = not self.known or self.known[-1].standing not in ("draft", "preview")
        with self.allowed(expected):
            self.desk.office.draft(self.folder, PROGRAMME, "all", WINDOW, ACT, project=self.folder)
        if expected:
            self.known.append(Expected())

    @rule(asked=st.booleans(), ruling=st.sampled_from([None, False, False, True]), waited=st.booleans())
    def carry_on(self, asked: bool, ruling: bool | None, waited: bool) -> None:
        """As it should be, or chance would seldom come as far as an issue."""
        if not self.known or self.known[-1].standing not in ("draft", "preview"):
            self.draft()
        if self.known[-1].standing == "draft":
            self.preview(0)
        if asked:
            self.ask(0)
        if ruling is not None:
            self.rule_on(0, 1, ruling)
        for who in ("甲", "乙"):
            self.sign(0, who)
        if waited:
            self.days_pass(DAYS + 1)

    @rule(back=st.integers(0, 1))
    def preview(self, back: int) -> None:
        name, mine = self.pick(back)
        expected = mine.standing == "draft"
        with self.allowed(expected):
            self.desk.office.preview(name, ACT, days=DAYS, packets=no_packets)
        if expected:
            mine.standing, mine.closes = "preview", self.day + DAYS

    @rule(back=st.integers(0, 1))
    def ask(self, back: int) -> None:
        name, mine = self.pick(back)
        expected = mine.standing == "preview" and self.day <= mine.closes
        with self.allowed(expected):
            self.desk.office.query(name, ACT, hospital_id="H1", about="", days=3)
        if expected:
            mine.asked += 1
            mine.open.add(f"Q{mine.asked}")

    @rule(back=st.integers(0, 1), number=st.integers(1, 3), accepted=st.booleans())
    def rule_on(self, back: int, number: int, accepted: bool) -> None:
        name, mine = self.pick(back)
        expected = mine.standing == "preview" and f"Q{number}" in mine.open
        with self.allowed(expected):
            self.desk.office.rule(name, ACT, query=f"Q{number}", accepted=accepted, changed_input="首页")
        if expected:
            mine.open.discard(f"Q{number}")
            mine.accepted |= accepted

    @rule(back=st.integers(0, 1), who=st.sampled_from(["甲", "乙", "丙"]))
    def sign(self, back: int, who: str) -> None:
        name, mine = self.pick(back)
        expected = mine.standing == "preview" and who != "丙" and who not in mine.signed
        with self.allowed(expected):
            self.desk.office.sign(name, self.desk.signers[who], "核对无误")
        if expected:
            mine.signed.add(who)

    @rule(back=st.integers(0, 1), who=st.sampled_from(["甲", "丙", "丙"]), override=st.sampled_from(["", "", "急用"]))
    def issue(self, back: int, who: str, override: str) -> None:
        name, mine = self.pick(back)
        ready = mine.standing == "preview" and len(mine.signed) == 2 and not mine.accepted
        settled = not mine.open and self.day > mine.closes
        expected = who == "丙" and (mine.standing == "issued" or (ready and (settled or override != "")))
        with self.allowed(expected):
            self.desk.office.issue(name, self.desk.signers[who], "同意", override=override)
        if expected and mine.standing != "issued":
            mine.standing = "issued"
            for earlier in self.known:
                if earlier is not mine and earlier.standing == "issued":
                    earlier.standing = "superseded"

    @rule(back=st.integers(0, 1), who=st.sampled_from(["甲", "丙"]))
    def revoke(self, back: int, who: str) -> None:
        name, mine = self.pick(back)
        expected = who == "丙" and mine.standing not in ("none", "revoked")
        with self.allowed(expected):
            self.desk.office.revoke(name, self.desk.signers[who], "撤回")
        if expected:
            mine.standing = "revoked"

    @invariant()
    def the_register_says_so(self) -> None:
        entries = self.desk.office.register.entries()
        assert [history.standing.value for history in histories(entries).values()] == [
            each.standing for each in self.known
        ]
        assert list(faults_of(entries, Keyring.read(self.desk.keyring))) == []

    @invariant()
    def whatever_was_issued_verifies(self) -> None:
        for folder in (self.desk.root / "certified").glob("CERT-*"):
            found = self.desk.verify(folder, self.desk.register)
            assert found.is_intact, found.faults
            assert found.counts is (self.known[int(folder.name.rpartition("-r")[2]) - 1].standing == "issued")


def test_only_what_the_procedure_allows_happens(pristine_desk: Desk) -> None:
    Procedure.pristine = pristine_desk
    run_state_machine_as_test(
        Procedure, settings=settings(max_examples=60, stateful_step_count=15, deadline=None, derandomize=True)
    )
