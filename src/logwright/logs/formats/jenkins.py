"""Jenkins' console log of a pipeline, with or without the Timestamper's times."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "jenkins",
    "Jenkins",
    layouts=(
        "<?>{<time:%H:%M:%S> }{[Pipeline] }<content>",
        "<?>{[{<time:%Y-%m-%dT%H:%M:%S.%f%z>}{Pipeline}] }<content>",
    ),
    samples=(
        "[Pipeline] stage",
        "10:00:00  [Pipeline] { (Test)",
        "[2024-05-01T10:00:00.123Z] [Pipeline] echo",
    ),
    telltales=("[Pipeline] ",),
)
