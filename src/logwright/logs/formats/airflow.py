"""Airflow's task and scheduler logs."""

from logwright.logs.formats.base import Format

_REST = r"\{<component>:<_>\} <level> - <content>"

FORMAT = Format(
    "airflow",
    "Airflow",
    layouts=(
        f"[<time:%Y-%m-%dT%H:%M:%S{{.%f}}%z>] {_REST}",
        f"[<time:%Y-%m-%d %H:%M:%S,%f>] {_REST}",
    ),
    samples=(
        "[2024-05-01T10:00:00.123+0000] {taskinstance.py:1157} INFO - Dependencies all met",
        "[2024-05-01 10:00:00,123] {scheduler_job.py:155} WARNING - Killing child process 77",
    ),
)
