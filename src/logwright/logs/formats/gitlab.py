"""GitLab CI: job logs with a time per line (runner 17), and older ones with times of sections.

The number of the stream is dropped, and the `+` of a line that goes on.
"""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "gitlab",
    "GitLab CI",
    layouts=(
        "<time:%Y-%m-%dT%H:%M:%S.%f%z> <_>{+}{ }<content>",
        "<?>{section_{start}{end}:<time:%s>:}<content>",
    ),
    samples=(
        "2024-05-01T10:00:00.123456Z 00O Running with gitlab-runner 17.0.0 (44feccdf)",
        "2024-05-01T10:00:00.223456Z 01O+section_end:1714557602:step_script",
        "section_start:1714557600:prepare_executor",
        "Running with gitlab-runner 16.11.0 (91a27b2a)",
    ),
    telltales=("section_start:", "section_end:", "gitlab-runner "),
)
