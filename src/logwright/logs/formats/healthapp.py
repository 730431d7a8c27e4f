"""HealthApp, an Android application's own log: fields between bars, times without leading zeros."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "healthapp",
    "HealthApp",
    layouts=("<time:%Y%m%d-%H:%M:%S:%f>|<component>|<_>|<content>",),
    samples=(
        "20171223-22:15:29:606|Step_LSC|30002312|onStandStepChanged 3579",
        "20171224-0:7:20:444|Step_SPUtils|30002312| getTodayTotalDetailSteps = 0",
    ),
)
