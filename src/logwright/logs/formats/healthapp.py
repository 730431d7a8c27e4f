"""HealthApp, an Android application's own log: fields between bars, times without leading zeros.

The milliseconds are skipped: ``:7`` stands for 7 ms here, where a fraction would read 700 ms.
"""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "healthapp",
    "HealthApp",
    layouts=("<time:%Y%m%d-%H:%M:%S>:<_>|<component>|<_>|<content>",),
    samples=(
        "20171223-22:15:29:606|Step_LSC|30002312|onStandStepChanged 3579",
        "20171224-0:7:20:444|Step_SPUtils|30002312| getTodayTotalDetailSteps = 0",
    ),
)
