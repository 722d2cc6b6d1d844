"""A job, in this process."""

from kgen.studies.benchmark import worker


def test_a_job_is_timed_and_its_facts_are_kept():
    job = {"make": "tests.helpers.worker_contestant:sleeps", "timing": [1, 0, 0], "began": 0}
    found = worker.measured({**job, "arguments": {"seconds": 0.1, "megabytes": 1}})
    assert found["amount"] == 3 and len(found["seconds"]) == 1 and found["seconds"][0] >= 0.1
