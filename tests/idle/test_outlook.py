"""From all that is known: who is believed, what is told, and when a notice goes up."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from msgspec.structs import replace

from jupyter_einfra.idle import reasons
from jupyter_einfra.idle.models import IdleStatus
from jupyter_einfra.idle.notices import Spoken, next_notice
from jupyter_einfra.idle.observed import gpus_seen
from jupyter_einfra.idle.outlook import Known, Word, report
from jupyter_einfra.idle.policies import presets
from jupyter_einfra.idle.published import PublishedState, decode
from jupyter_einfra.idle.starts import MOST_TOLD, Start, heard
from jupyter_einfra.models import Notice

from .made import DAY, HOUR, NOW, at, observed, state

PRESETS = presets()


def notice_of(status: IdleStatus, spoken: Spoken | None = None) -> Notice | None:
    return next_notice(status, "s", spoken)[0]


BUSY, IDLE = [1.0] * 3000, [0.0] * 3000
YOUNG = Start(id="s", first_seen=NOW - 3000 * 60)


def published(**changes: Any) -> PublishedState:
    return decode(json.dumps(state(**changes)).encode())


def known(**changes: Any) -> Known:
    plain = Known(
        now=NOW,
        policy=PRESETS["2026-docs"],
        policies=PRESETS,
        policy_problem=None,
        words=(),
        start=YOUNG,
        observed=observed(BUSY),
        gpus="never",
    )
    return plain._replace(**changes)


def told(**changes: Any) -> IdleStatus:
    return report(known(**changes)).status


class TestWhoIsBelieved:
    def test_without_a_policy_nothing_is_said(self) -> None:
        status = told(policy=None)
        assert (status.level, status.policy, status.reason) == ("unknown", None, reasons.NO_POLICY)
        assert notice_of(status) is None

    def test_a_policy_that_cannot_be_used_is_told(self) -> None:
        problem = reasons.policy_invalid("no such file")
        assert told(policy=None, policy_problem=problem).reason == problem

    def test_the_file_goes_before_the_controller_and_that_before_an_estimate(self) -> None:
        file = Word("file", published(counter=1), None)
        asked = Word("controller", published(counter=3), None)
        status = told(words=(file, asked))
        assert (status.source, status.counter) == ("file", 1)
        doubted = file._replace(problem=reasons.other_server("bob/"))
        status = told(words=(doubted, asked))
        assert (status.source, status.counter) == ("controller", 3)
        assert status.sources[0].reason == doubted.problem
        silent = Word("controller", None, reasons.controller_unreachable("ConnectError"))
        status = told(words=(doubted, silent))
        assert (status.source, status.is_estimate) == ("estimate", True)
        assert [source.name for source in status.sources] == ["file", "controller", "estimate"]

    def test_the_controller_s_word_is_passed_on_as_it_is(self) -> None:
        status = told(words=(Word("file", published(), None),), observed=observed(IDLE))
        assert status.delete_at == published().delete_at
        assert not status.is_estimate
        assert status.level == "kept"

    def test_what_it_leaves_out_is_worked_out_from_its_counter(self) -> None:
        word = Word("file", published(delete_at=None), None)
        status = told(words=(word,), observed=observed(IDLE))
        assert status.delete_at is not None
        assert status.is_estimate
        evaluated_at = NOW - HOUR
        late = status.delete_at.timestamp() - (evaluated_at + 3 * DAY)
        assert -300 <= late <= 0

    def test_its_own_threshold_and_limit_go_before_the_policy_s(self) -> None:
        light = observed([0.2] * 3000)
        plain = {"delete_at": None, "counter": 2}
        word = Word("file", published(**plain, threshold=0.5, counter_limit=3), None)
        status = told(words=(word,), observed=light)
        assert status.level == "day"
        assert status.policy is not None
        assert status.policy.rule is not None
        assert (status.policy.rule.threshold, status.counter_limit) == (0.5, 3)
        word = Word("file", published(**{**plain, "counter": 5}), None)
        assert told(words=(word,), observed=light).level == "hour"

    def test_a_deletion_that_use_has_averted_is_no_alarm(self) -> None:
        word = Word("file", published(counter=4, delete_at=at(NOW + HOUR / 2)), None)
        late = published(
            counter=4, delete_at=at(NOW + HOUR / 2), evaluated_at=at(NOW - DAY + HOUR / 2)
        )
        status = told(words=(word._replace(state=late),), observed=observed(BUSY))
        assert (status.level, status.is_estimate) == ("kept", True)
        status = told(words=(word._replace(state=late),), observed=observed(IDLE))
        assert (status.level, status.is_estimate) == ("hour", False)

    def test_a_revision_that_is_not_known_is_told_in_the_operator_s_words(self) -> None:
        word = Word("file", published(policy="2027", text="New rules.", delete_at=None), None)
        status = told(words=(word,))
        assert status.policy is not None
        assert (status.policy.text, status.policy.rule) == ("New rules.", None)
        assert (status.level, status.counter, status.delete_at) == ("unknown", 2, None)
        assert status.reason == reasons.revision_unknown("2027")
        word = Word("file", published(policy="2027", delete_at=at(NOW + HOUR / 2)), None)
        assert told(words=(word,)).level == "hour"

    def test_without_a_history_nothing_is_estimated(self) -> None:
        for missing in ({"observed": None}, {"start": None}):
            status = told(**missing)
            assert (status.level, status.reason) == ("unknown", reasons.HISTORY_LOST)
            assert status.policy is not None


class TestEstimates:
    def test_a_busy_server_is_kept(self) -> None:
        status = told()
        assert (status.level, status.counter, status.source) == ("kept", 0, "estimate")
        assert status.used_at is not None
        assert status.day_maximum == 1.0

    def test_one_that_does_nothing_is_not(self) -> None:
        start = Start(id="s", first_seen=NOW - 10 * DAY)
        status = told(observed=observed([0.0] * 10080), start=start)
        assert (status.level, status.counter) == ("hour", 4)
        assert status.used_at is None
        assert status.day_maximum == 0.0

    def test_what_is_not_known_counts_as_idle(self) -> None:
        start = Start(id="s", first_seen=NOW - 10 * DAY)
        lost = [math.nan] * 3000
        status = told(observed=observed(lost), start=start)
        assert status.level == "hour"
        assert reasons.HISTORY_SHORT in status.unseen

    def test_with_a_gpu_only_the_gpu_counts(self) -> None:
        start = Start(id="s", first_seen=NOW - 10 * DAY)
        busy_cpu = observed(BUSY, ("all", IDLE))
        assert told(observed=busy_cpu, start=start, gpus="always").level == "hour"
        busy_gpu = observed(IDLE, ("all", BUSY), ("all", IDLE))
        status = told(observed=busy_gpu, start=start, gpus="always")
        assert status.level == "kept"
        assert status.policy is not None
        assert status.policy.rule is not None
        assert status.policy.rule.metric == "gpu_busy_share"

    def test_gpus_that_come_and_go_have_the_worse_rule_hold(self) -> None:
        start = Start(id="s", first_seen=NOW - 10 * DAY)
        for cpu, gpu in ((BUSY, IDLE), (IDLE, BUSY)):
            status = told(observed=observed(cpu, ("all", gpu)), start=start, gpus="sometimes")
            assert status.level == "hour"
            assert reasons.GPUS_CHANGE in status.unseen

    @pytest.mark.parametrize(
        ("sees", "reason"),
        [
            ("readings", reasons.GPU_MOMENTS),
            ("nothing", reasons.GPU_SHARED),
            (None, reasons.GPU_HIDDEN),
        ],
    )
    def test_what_cannot_be_seen_is_told(self, sees: Any, reason: object) -> None:
        gpus = [(sees, BUSY)] if sees else []
        status = told(observed=observed(BUSY, *gpus), gpus="always")
        assert reason in status.unseen

    def test_what_seems_used_and_cannot_be_proven_is_no_alarm_and_not_safe(self) -> None:
        start = Start(id="s", first_seen=NOW - 10 * DAY)
        light = [0.2] * 10080
        status = told(observed=observed(light, ("readings", light)), start=start, gpus="always")
        assert status.level == "unsure"
        notice = notice_of(status)
        assert notice is None

    def test_neighbours_use_is_nobody_s(self) -> None:
        start = Start(id="s", first_seen=NOW - 10 * DAY)
        status = told(observed=observed(BUSY, ("nothing", BUSY)), start=start, gpus="always")
        assert status.level == "unsure"  # nothing is known either way
        assert status.day_maximum is None

    def test_a_slice_without_figures_is_neither_idle_nor_used(self) -> None:
        start = Start(id="s", first_seen=NOW - 10 * DAY)
        unknown = [math.nan] * 3000
        hidden = observed(BUSY, ("all", unknown))
        gpu = hidden.gpus[0]
        sampled = gpu._replace(track=gpu.track._replace(samples=[6] * 3000))
        status = told(observed=hidden._replace(gpus=[sampled]), start=start, gpus="always")
        assert status.level == "unsure"
        assert reasons.GPU_HIDDEN in status.unseen

    def test_gpus_that_may_be_there_keep_it_from_being_called_safe(self) -> None:
        start = Start(id="s", first_seen=NOW - 10 * DAY)
        hiding = observed(BUSY)._replace(hides_gpus=True)
        status = told(observed=hiding, start=start, gpus=gpus_seen(hiding, NOW - DAY))
        assert status.level == "unsure"
        assert reasons.GPU_HIDDEN in status.unseen

    def test_a_policy_without_a_rule_for_it_says_so(self) -> None:
        policy = PRESETS["2026-docs"]
        only_gpus = replace(policy, rules=[policy.rules[1]])
        status = told(policy=only_gpus)
        assert (status.level, status.reason) == ("unknown", reasons.NO_RULE)

    def test_use_of_an_earlier_start_is_none_of_this_one(self) -> None:
        young = Start(id="s", first_seen=NOW - HOUR)
        use = [1.0] * 2900 + [0.0] * 100
        assert told(start=young, observed=observed(use)).used_at is None
        nothing = told(start=young, observed=observed([0.0] * 3000))
        assert told(start=young, observed=observed(use)).delete_at == nothing.delete_at


class TestGpusSeen:
    def test_as_minutes_tell(self) -> None:
        nothing = [math.nan]
        since = NOW - 600 * 60
        assert gpus_seen(None, since) == "never"
        assert gpus_seen(observed([0.0] * 600), since) == "never"
        assert gpus_seen(observed([0.0] * 600, ("all", [0.0] * 600)), since) == "always"
        late = nothing * 5 + [0.0] * 595
        assert gpus_seen(observed([0.0] * 600, ("all", late)), since) == "always"
        gone = [0.0] * 500 + nothing * 100
        assert gpus_seen(observed([0.0] * 600, ("all", gone)), since) == "sometimes"
        assert gpus_seen(observed([0.0] * 600, ("all", gone)), NOW - 50 * 60) == "never"


class TestReports:
    def test_the_way_to_the_deletion_is_drawn(self) -> None:
        told = report(known(observed=observed(IDLE)))
        assert told.status.delete_at is not None
        assert told.evaluations[-1].time == told.status.delete_at
        counters = [one.counter for one in told.evaluations]
        assert counters == sorted(counters)
        assert counters[-1] == 5
        assert len(told.values) <= 600
        assert told.since.timestamp() <= NOW - DAY
        end = told.since.timestamp() + len(told.values) * told.step_seconds
        assert abs(end - NOW) <= told.step_seconds

    def test_what_the_controller_told_is_in_it(self) -> None:
        start = YOUNG
        for day, counter in ((2, 0), (1, 1)):
            evaluated_at = at(NOW - HOUR - day * DAY)
            start = heard(start, published(counter=counter, evaluated_at=evaluated_at))
        start = heard(start, published())
        told = report(known(start=start, words=(Word("file", published(), None),)))
        assert [(one.counter, one.known) for one in told.evaluations[:3]] == [
            (0, True),
            (1, True),
            (2, True),
        ]
        assert not any(one.known for one in told.evaluations[3:])

    def test_only_the_last_of_what_was_told_is_kept(self) -> None:
        start = YOUNG
        for hour in range(MOST_TOLD + 10):
            start = heard(start, published(evaluated_at=at(NOW + hour * HOUR)))
        assert len(start.told) == MOST_TOLD
        assert heard(start, published(evaluated_at=at(NOW + (MOST_TOLD + 9) * HOUR))) is start


class TestNotices:
    def told(self, **changes: Any) -> Any:
        word = Word("file", published(**changes), None)
        return notice_of(told(words=(word,), observed=observed(IDLE)))

    def test_each_new_counter_is_one_and_the_same_state_stays_the_same(self) -> None:
        first, again = self.told(counter=1), self.told(counter=1)
        assert (first.code, first.severity) == ("idle_counted", "info")
        assert first == again
        assert self.told(counter=2).id != first.id
        assert self.told(counter=0) is None

    def test_a_day_before_and_an_hour_before(self) -> None:
        day = self.told(delete_at=at(NOW + DAY))
        hour = self.told(delete_at=at(NOW + HOUR))
        assert (day.code, day.severity) == ("idle_day", "warning")
        assert (hour.code, hour.severity) == ("idle_hour", "error")
        assert self.told(delete_at=at(NOW + DAY + 1)).code == "idle_counted"

    def test_they_say_what_counts_and_how_far_the_last_day_was_from_it(self) -> None:
        light = observed([0.004] * 3000)
        status = told(
            words=(Word("file", published(delete_at=at(NOW + HOUR)), None),), observed=light
        )
        notice = notice_of(status)
        assert notice is not None
        assert notice.message.endswith(
            "Use is at least 0.1 CPU cores over 5 minutes; in the last 24 hours it was at most "
            "0.004 CPU cores."
        )
        assert notice.params["threshold"] == 0.1
        assert notice.params["maximum"] == 0.004

    def test_a_week_of_use_and_rest_is_not_told_by_the_minute(self) -> None:
        """Idle over the weekend, then at work: what is said is worse each time, or not said."""
        ids: list[str] = []
        spoken: Spoken | None = None
        start = Start(id="s", first_seen=NOW - 6 * DAY)
        for minute in range(0, 6 * 24 * 60, 90):
            now = NOW - DAY + minute * 60
            use = [1.0] * 2000 + [0.0] * 5000  # at rest since 3.5 days at the first look
            worked = min(max(0, minute - 600), 2880)
            use += [0.0] * min(minute, 600) + [1.0] * worked + [0.0] * max(0, minute - 3480)
            status = told(now=now, start=start, observed=observed(use[-10080:], until=now))
            notice, spoken = next_notice(status, "s", spoken)
            if notice is not None and notice.id not in ids:
                ids.append(notice.id)
        codes = [ident.split(":")[2] for ident in ids]
        assert 1 <= len(codes) <= 8, codes
        assert codes.count("idle_hour") <= 2

    def test_what_is_better_again_is_no_news_and_neither_is_the_same(self) -> None:
        def status(counter: int, left: float, evaluated: float = 1) -> IdleStatus:
            state = published(
                counter=counter,
                delete_at=at(NOW + left * HOUR),
                evaluated_at=at(NOW - evaluated * HOUR),
            )
            return told(words=(Word("file", state, None),), observed=observed(IDLE))

        first, spoken = next_notice(status(4, 20), "s", None)
        again, spoken = next_notice(status(4, 19, evaluated=0.5), "s", spoken)
        assert first is not None
        assert again is not None
        assert again.id == first.id
        worse, spoken = next_notice(status(4, 0.5), "s", spoken)
        assert worse is not None
        assert (worse.code, worse.id != first.id) == ("idle_hour", True)
        better, spoken = next_notice(status(4, 12), "s", spoken)
        assert better is not None
        assert (better.code, better.id) == ("idle_day", worse.id)
        over, spoken = next_notice(status(0, 100), "s", spoken)
        assert (over, spoken) == (None, None)

    def test_what_is_due_is_told_as_that(self) -> None:
        notice = self.told(delete_at=at(NOW - HOUR / 2))
        assert notice.code == "idle_hour"
        assert "deleted at any moment." in notice.message

    def test_an_estimate_s_first_count_is_no_news(self) -> None:
        status = told(observed=observed(IDLE))
        assert status.counter == 3
        assert notice_of(status) is not None
        status = told(observed=observed([0.0] * 60), start=Start(id="s", first_seen=NOW - HOUR))
        assert status.counter == 1
        assert notice_of(status) is None
