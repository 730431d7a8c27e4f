"""OpenStack (oslo.log), with or without the file name that the published set has in front."""

from logwright.logs.formats.base import Format

_REST = "<time:%Y-%m-%d %H:%M:%S.%f> <_> <level> <component> <?>[<_>] <content>"

FORMAT = Format(
    "openstack",
    "OpenStack",
    layouts=(f"<_> {_REST}", _REST),
    samples=(
        "nova-api.log.1.2017-05-16_13:53:08 2017-05-16 00:00:00.008 25746 INFO "
        "nova.osapi_compute.wsgi.server [req-38101a0b-2096-447d-96ea-a692162415ae "
        '113d3a99c3da401fbd62cc2caa5b96d2 - - -] 10.11.10.1 "GET /v2/servers" status: 200',
        "2017-05-16 00:00:04.500 2931 INFO nova.compute.manager [req-3ea4052c - - - - -] "
        "[instance: b9000564] VM Started (Lifecycle Event)",
        "2017-05-16 00:00:04.562 2931 WARNING nova.virt.libvirt.imagecache [-] Unknown base file",
    ),
)
