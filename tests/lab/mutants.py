"""Each guarantee, broken on purpose by one change of the code, and the test that must notice."""

from __future__ import annotations

from dataclasses import dataclass

SQL = "store/sql/postgres"
MYSQL = "store/sql/mysql"
DEATHS = "chaos/test_deaths.py"
POINTS = "chaos/test_points.py::test_a_worker_killed_at_this_point_costs_nothing_but_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`file` below `encoder/`, in which `old` stands once and becomes `new`. `test`: as docs/why/guarantees.md has it.

    `case`: the one of several that sees it.
    """

    guarantee: str
    what: str
    file: str
    old: str
    new: str
    test: str
    case: str = ""


def _tasks(name: str) -> str:
    return f"contracts/store_tasks.py::{name}"


MUTANTS = (
    Mutant(
        guarantee="G1", what="a job gets no place in line", file=f"{SQL}/enqueue.sql",
        old="weight FROM task WHERE state = 'ready'", new="weight FROM task WHERE state = 'never'",
        test="contracts/store_jobs.py::test_an_accepted_job_is_there_whole_and_can_be_claimed",
    ),
    Mutant(
        guarantee="G1", what="the key is forgotten", file="queue/enqueue.py",
        old="replace(made, idempotency_key=idempotency_key,", new="replace(made, idempotency_key=None,",
        test="chaos/test_points.py::test_a_job_whose_answer_was_lost_is_made_once_under_its_key", case="L2",
    ),
    Mutant(
        guarantee="G2", what="the end of a run is told twice", file="store/changes.py",
        old="(Happening(type=_JOB_EVENTS[end]),)", new="(Happening(type=_JOB_EVENTS[end]),) * 2",
        test="contracts/store_jobs.py::test_each_run_tells_its_end_once",
    ),
    Mutant(
        guarantee="G3", what="settle matches the task alone", file=f"{SQL}/close_task.sql",
        old="WHERE task_id = $1 AND epoch = $2 AND (NOT", new="WHERE task_id = $1 AND epoch >= $2 AND (NOT",
        test=_tasks("test_a_zombie_changes_nothing"),
    ),
    Mutant(
        guarantee="G4", what="a mark matches the task alone", file=f"{SQL}/hold_task.sql",
        old="WHERE task_id = $1 AND epoch = $2 FOR", new="WHERE task_id = $1 AND epoch >= $2 FOR",
        test=_tasks("test_a_zombie_changes_nothing"),
    ),
    Mutant(
        guarantee="G4", what="a lost lease ends no work", file="worker/heart.py",
        old="held.end(Ending.LOST)", new="pass",
        test="unit/test_heart.py::test_a_lease_that_was_taken_ends_the_work_and_cuts_its_children",
    ),
    Mutant(
        guarantee="G5", what="no lease is ever found to have run out", file=f"{SQL}/expired.sql",
        old="< clock_timestamp()\nLIMIT", new="< 'epoch'\nLIMIT",
        test=_tasks("test_an_expired_lease_is_found_and_its_task_freed"),
    ),
    Mutant(
        guarantee="G5", what="what was lost is not tried again", file="store/changes.py",
        old="if again and job.cancel_requested else", new="if again else",
        test=_tasks("test_an_expired_lease_is_found_and_its_task_freed"),
    ),
    Mutant(
        guarantee="G5", what="a child outlives its worker", file="ffmpeg/box.py",
        old="_libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)", new="pass",
        test="integration/test_launcher.py::test_a_child_dies_with_its_worker_though_it_is_frozen",
    ),
    Mutant(
        guarantee="G6", what="a rescue does not look again", file=f"{SQL}/close_task.sql",
        old="least(expires_at, deadline_at) < clock_timestamp()", new="true",
        test=_tasks("test_a_living_claim_is_not_rescued"),
    ),
    Mutant(
        guarantee="G6", what="an answered beat counts for nothing", file="worker/heart.py",
        old="held.sent_at = sent_at", new="pass",
        test="unit/test_heart.py::test_answered_beats_keep_the_work_going_past_the_lease",
    ),
    Mutant(
        guarantee="G7", what="no self-stop", file="worker/heart.py",
        old="if over_s <= 0 or", new="if over_s <= 1e9 or",
        test="unit/test_heart.py::test_a_worker_cut_off_freezes_its_work_before_the_lease_ends",
    ),
    Mutant(
        guarantee="G8", what="a missing answer breaks no contact", file="queue/lease.py",
        old="self._since = self._last = now\n", new="self._last = now\n",
        test="unit/test_lease.py::test_a_missing_answer_starts_contact_anew",
    ),
    Mutant(
        guarantee="G9", what="a loss counts as a failure", file="queue/settle.py",
        old="tried = claim.attempt - claim.lost", new="tried = claim.attempt",
        test="unit/test_settle.py::test_lost_leases_do_not_use_up_attempts",
    ),
    Mutant(
        guarantee="G9", what="losses have no end", file="queue/settle.py",
        old="if claim.lost + 1 >= most", new="if claim.lost + 1 >= 99",
        test=f"{DEATHS}::test_a_task_that_kills_its_worker_each_time_ends_as_worker_lost",
    ),
    Mutant(
        guarantee="G10", what="a release is charged", file=f"{SQL}/close_task.sql",
        old="attempt = attempt - $6::smallint", new="attempt = attempt",
        test=_tasks("test_a_release_charges_no_attempt_and_can_be_claimed_at_once"),
    ),
    Mutant(
        guarantee="G11", what="a hinted cancel waits for the next beat", file="worker/loop.py",
        old="for held in self._held.values()):\n            self._heart.nudge()",
        new="for held in self._held.values()):\n            pass",
        test=f"{DEATHS}::test_a_cancel_reaches_ffmpeg_in_under_a_second",
    ),
    Mutant(
        guarantee="G11", what="the job is not locked", file=f"{SQL}/lock_job.sql",
        old=" FOR NO KEY UPDATE", new="",
        test="integration/test_store_races.py::test_a_cancel_against_a_completion_leaves_one_end",
    ),
    Mutant(
        guarantee="G12", what="a hint wakes nobody", file="queue/wake.py",
        old="self._ready[what].set()", new="pass",
        test="unit/test_wake.py::test_a_hint_wakes_the_claimer_of_its_queue_only",
    ),
    Mutant(
        guarantee="G13", what="what runs is not counted", file=f"{SQL}/waiting_tenants.sql",
        old="SELECT tenant_id, weight FROM task_leases WHERE queue = $1",
        new="SELECT tenant_id, weight FROM task_leases WHERE false",
        test="contracts/store_admission.py::test_a_cap_is_kept_by_all_claimers_together_in_every_snapshot",
    ),
    Mutant(
        guarantee="G14", what="who came first is next", file="store/fair.py",
        old="(Fraction(after, tenant.share), waiting", new="(Fraction(0), waiting",
        test="contracts/store_admission.py::test_tenants_that_wait_take_turns",
    ),
    Mutant(
        guarantee="G14", what="of those that wait the first by number are looked at", file="store/fair.py",
        old="key=lambda tenant: (Fraction(tenant.used + 1, tenant.share), tenant.id))",
        new="key=lambda tenant: -tenant.id)",
        test="contracts/store_admission.py::"
        "test_a_tenant_below_its_share_is_next_however_long_anothers_backlog_is",
    ),
    Mutant(
        guarantee="G15", what="the first part that is done opens what is behind", file=f"{SQL}/open_next.sql",
        old="WHEN pending <= $2::int THEN", new="WHEN pending > 0 THEN",
        test="contracts/store_graph.py::test_the_task_behind_opens_once_when_the_last_part_is_done",
    ),
    Mutant(
        guarantee="G16", what="only the end of a job is told", file="store/changes.py",
        old="if not receiver.wants(event.type):", new="if event.type not in _JOB_EVENTS.values():",
        test="contracts/store_deliveries.py::test_each_told_event_has_one_delivery_with_the_job_as_it_stood",
    ),
    Mutant(
        guarantee="G17", what="the line is sorted as it is read", file=f"{SQL}/claim.sql",
        old="ORDER BY seq LIMIT $3 FOR UPDATE", new="ORDER BY weight, seq LIMIT $3 FOR UPDATE",
        test="integration/test_store_plans.py::test_a_claim_reads_three_rows_per_task_at_most",
    ),
    Mutant(
        guarantee="G18", what="the due sweep hurries", file="queue/due.py",
        old="LONGEST_WAIT_S = 5.0", new="LONGEST_WAIT_S = 0.2",
        test="integration/test_idle_worker.py::test_an_idle_worker_asks_at_most_twice_a_second",
    ),
    Mutant(
        guarantee="G3", what="settle matches the task alone, on MySQL", file=f"{MYSQL}/close_task.sql",
        old="WHERE task_id = $1 AND epoch = $2 AND (NOT", new="WHERE task_id = $1 AND epoch >= $2 AND (NOT",
        test=_tasks("test_a_zombie_changes_nothing"),
    ),
    Mutant(
        guarantee="G4", what="a mark matches the task alone, on MySQL", file=f"{MYSQL}/hold_task.sql",
        old="WHERE task_id = $1 AND epoch = $2 FOR", new="WHERE task_id = $1 AND epoch >= $2 FOR",
        test=_tasks("test_a_zombie_changes_nothing"),
    ),
    Mutant(
        guarantee="G6", what="a rescue does not look again, on MySQL", file=f"{MYSQL}/close_task.sql",
        old="LEAST(expires_at, deadline_at) < UTC_TIMESTAMP(6)", new="true",
        test=_tasks("test_a_living_claim_is_not_rescued"),
    ),
    Mutant(
        guarantee="G11", what="the job is not locked, on MySQL", file=f"{MYSQL}/lock_job.sql",
        old=" FOR UPDATE", new="",
        test="integration/test_store_races.py::test_a_cancel_against_a_completion_leaves_one_end", case="mariadb",
    ),
    Mutant(
        guarantee="G12", what="the ear looks once", file="store/mysql/ear.py",
        old="            before = await _look(connection)\n", new="            await asyncio.sleep(3600)\n",
        test="integration/test_store_mysql_connections.py::"
        "test_an_ear_finds_what_another_process_has_enqueued_or_cancelled",
    ),
    Mutant(
        guarantee="G17", what="the line is sorted as it is read, on MySQL", file=f"{MYSQL}/claim.sql",
        old="ORDER BY seq LIMIT $3 FOR UPDATE", new="ORDER BY weight, seq LIMIT $3 FOR UPDATE",
        test="integration/test_store_mysql_plans.py::test_a_claim_reads_few_rows_per_task",
    ),
    Mutant(
        guarantee="R1", what="the preset wins over the job", file="ffmpeg/presets.py",
        old="merged = {**kept, **explicit,", new="merged = {**explicit, **kept,",
        test="integration/test_api_presets.py::"
        "test_a_member_of_the_job_wins_over_the_preset_and_takes_its_own_with_it",
    ),
    Mutant(
        guarantee="S7", what="the last removal takes the place of those before", file=f"{SQL}/remove_jobs.sql",
        old="outputs = u.outputs + excluded.outputs", new="outputs = excluded.outputs",
        test="contracts/store_usage.py::test_what_a_job_has_used_is_told_when_its_rows_are_gone_and_never_twice",
    ),
    Mutant(
        guarantee="G16", what="a receiver that wants no more ends what others are told", file=f"{SQL}/gone.sql",
        old="receiver = (SELECT receiver FROM webhook_deliveries WHERE id = $2)", new="$2::bigint > 0",
        test="contracts/store_endpoints.py::test_a_receiver_that_wants_no_more_of_a_job_leaves_the_others",
    ),
    Mutant(
        guarantee="N1", what="an old secret signs for ever", file=f"{SQL}/delivery.sql",
        old="CASE WHEN e.old_secret_until > clock_timestamp() THEN e.old_secret END", new="e.old_secret",
        test="integration/test_api_webhooks.py::test_two_secrets_sign_until_the_old_one_is_over", case="postgres",
    ),
    Mutant(
        guarantee="N1", what="the operator signs for endpoints", file="worker/notify.py",
        old='[each["secret"] for each in opened[1:]]', new="self._sender.secrets(row.tenant_id)",
        test="integration/test_api_webhooks.py::"
        "test_an_endpoint_is_told_of_every_job_under_a_secret_of_its_own",
        case="postgres",
    ),
    Mutant(
        guarantee="N2", what="no text is shortened", file="model/telling.py",
        old="if len(text) < MOST_BYTES:", new="if text:",
        test="unit/test_formats.py::test_no_form_of_an_event_reaches_the_limit",
    ),
    Mutant(
        guarantee="I1", what="what was seen makes another job", file="store/verbs/ingest.py",
        old="seen.rule):\n                return None\n", new="seen.rule):\n                pass\n",
        test="contracts/store_ingest.py::test_what_is_told_at_the_same_time_makes_one_job",
    ),
    Mutant(
        guarantee="I1", what="the mark of what we made is not minded", file="api/ingest.py",
        old="case About(sha256=str()):", new="case About(sha256=bytes()):",
        test="integration/test_api_ingest.py::test_each_record_is_told_what_became_of_it", case="postgres",
    ),
    Mutant(
        guarantee="I1", what="what was not taken in is confirmed", file="api/ingest.py",
        old="        if faults:\n            raise", new="        if faults and not told:\n            raise",
        test="integration/test_api_ingest.py::"
        "test_what_cannot_be_taken_is_not_confirmed_and_holds_up_none_behind_it",
    ),
    Mutant(
        guarantee="I2", what="every origin's keys are decoded", file="ingest/events.py",
        old="frozenset({Origin.S3, Origin.MINIO})", new="frozenset(Origin)",
        test="unit/test_ingest_events.py::test_odd_keys_come_out_as_they_are_whoever_tells_of_them",
    ),
    Mutant(
        guarantee="I3", what="a message goes though its job does not stand", file="api/ingest_queue.py",
        old="reason=str(error), **told)\n            return _Fate.AWAY\n", new="reason=str(error), **told)\n",
        test="integration/test_ingest_queue.py::test_a_message_stays_until_its_job_stands",
    ),
    Mutant(
        guarantee="I3", what="messages are asked for while the database is away", file="api/ingest_queue.py",
        old="await self._intake.parts.store.ping()", new="await asyncio.sleep(0)",
        test="integration/test_ingest_queue.py::test_no_message_is_used_up_while_the_database_is_away",
    ),
    Mutant(
        guarantee="P2", what="what was published is never found", file="worker/pipeline.py",
        old="if row.intent is None or row.plan is None:", new="if row.id >= 0:",
        test="chaos/test_leftovers.py::test_an_object_that_was_published_but_not_recorded_is_only_written_down",
    ),
    Mutant(
        guarantee="P2", what="what stands there is taken for what was promised", file="worker/publish.py",
        old="(seen.size_bytes, seen.sha256) == (piece.size_bytes, piece.sha256)", new="seen.size_bytes >= 0",
        test="chaos/test_leftovers.py::test_what_stands_there_and_is_not_what_was_promised_is_made_again",
    ),
)  # fmt: skip
