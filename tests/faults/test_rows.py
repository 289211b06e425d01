"""Every row of the fault matrix is a test somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
GROUPS = {"R": 11, "D": 8, "W": 3, "M": 1, "C": 2, "K": 7, "S": 4, "A": 3, "T": 2, "P": 5}
MATRIX = [f"{letter}{number}" for letter, count in GROUPS.items() for number in range(1, count + 1)]

# rows that are tested where their subject is at home
ROWS = {
    "D4": "test_at_once.py::test_of_two_that_lock_each_other_out_both_get_through",
    "M1": "runtime/test_database.py::test_a_schema_that_the_program_does_not_know_is_refused",
    "C2": "test_clock.py::test_a_jump_is_taken_over_only_when_the_next_measurement_agrees",
    "K1": "services/test_attempts.py::test_a_new_sign_in_takes_the_lease_and_the_old_page_is_fenced",
    "K2": "browser/test_exam_line.py::test_an_answer_given_offline_is_kept_and_sent_when_the_line_is_back",
    "K5": "test_at_once.py::test_twenty_submits_at_the_same_moment_make_one_result_and_one_receipt",
    "K6": "browser/test_exam_clock.py::test_a_sign_in_elsewhere_takes_over_and_the_old_page_is_told",
    "K7": "browser/test_journey.py::test_after_the_hand_in_a_start_is_refused_with_the_time_and_back_shows_nothing",
    "S1": "services/test_answers.py::test_a_save_after_a_reset_is_refused_with_the_reason_and_kept_as_evidence",
    "S2": "test_at_once.py::test_a_submit_and_a_reset_have_one_winner",
    "S3": "centre/test_actions.py::test_numbers_that_changed_since_the_preview_stop_the_deed",
    "S4": "centre/test_actions.py::test_a_candidate_of_elsewhere_is_not_there",
    "A1": "test_at_once.py::test_a_start_and_a_switch_never_mix_sets",
    "A2": "services/test_sets.py::test_after_a_switch_a_candidate_starts_again_on_the_new_set_with_the_full_time",
    "T1": "services/test_answers.py::test_a_save_counts_up_to_the_grace",
    "T2": "browser/test_exam_clock.py::test_a_page_that_thinks_the_time_is_up_asks_the_server_which_knows_better",
    "P2": "services/test_attempts.py::test_two_sweepers_end_each_attempt_once",
    "P3": "services/test_attempts.py::test_a_poisoned_attempt_is_pushed_back_and_the_others_go_on",
    "P4": "services/test_outages.py::test_an_outage_over_the_planned_end_expires_nobody",
}
HERE = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))


@pytest.mark.parametrize("row", MATRIX)
def test_each_row_of_the_matrix_is_a_test_that_exists(row: str) -> None:
    if row in ROWS:
        path, _, name = ROWS[row].partition("::")
        assert f"def {name}(" in (TESTS / path).read_text()
    else:
        assert re.search(rf"^def test_(\w\d+_)*{row}_", HERE, re.M), f"no test of {row}"
