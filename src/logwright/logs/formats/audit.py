"""The Linux audit log: the record's type is the component."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "audit",
    "Linux audit",
    layouts=("{node=<host> }type=<component> msg=audit(<time:%s.%f>:<_>): <content>",),
    samples=(
        "type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e syscall=2 success=no exit=-13",
        "node=web1 type=USER_LOGIN msg=audit(1364475353.159:24270): pid=3280 uid=500 res=failed",
    ),
)
