"""Android logcat: threadtime (with the year since Android 8), time and brief."""

from logwright.logs.formats.base import Format

_REST = "<_> <_> <level> <?><component>{ }: <content>"
_BRIEF = "<level>/<component...>(<_>): <content>"

FORMAT = Format(
    "android",
    "Android logcat",
    layouts=(
        f"<time:%m-%d %H:%M:%S.%f> {_REST}",
        f"<time:%Y-%m-%d %H:%M:%S.%f> {_REST}",
        f"<time:%m-%d %H:%M:%S.%f> {_BRIEF}",
        _BRIEF,
    ),
    samples=(
        "03-17 16:13:38.811  1702  2395 D WindowManager: printFreezingDisplayLogsopening app",
        "03-17 16:13:38.936  1702 14638 I PowerManager_screenOn: DisplayPowerState",
        "2024-03-17 16:13:45.382  1702  3697 E AlarmManager : alarm set in the past",
        "03-17 16:13:38.811 D/WindowManager( 1702): opening app",
        "E/AndroidRuntime( 4711): FATAL EXCEPTION: main",
    ),
)
