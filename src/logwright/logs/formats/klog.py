"""klog and glog: Kubernetes components and Google's C++ programs. The file and line are dropped."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "klog",
    "klog / glog",
    layouts=(
        "<level><time:%m%d %H:%M:%S.%f> <_> <component>:<_>] <content>",
        "<level><time:%Y%m%d %H:%M:%S.%f> <_> <component>:<_>] <content>",
    ),
    samples=(
        "I0501 10:00:00.123456       1 controller.go:123] Starting workers",
        "E1130 23:59:59.000001   12345 reflector.go:138] Failed to watch *v1.Pod: EOF",
    ),
)
