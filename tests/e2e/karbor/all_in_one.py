"""Karbor's API, protection service and operation engine in one process, without a broker."""

import sys

import eventlet

eventlet.monkey_patch()

from karbor import i18n, objects, rpc, service, version  # noqa: E402
from karbor.common import config  # noqa: E402, F401 - registers Karbor's options
from karbor.db import migration  # noqa: E402
from oslo_config import cfg  # noqa: E402
from oslo_log import log  # noqa: E402

i18n.enable_lazy()
objects.register_all()
cfg.CONF(sys.argv[1:], project="karbor", version=version.version_string())
migration.db_sync()
rpc.init(cfg.CONF)
log.setup(cfg.CONF, "karbor")
for name in ("karbor-protection", "karbor-operationengine"):
    service.Service.create(binary=name).start()
service.WSGIService("osapi_karbor").start()
while True:
    eventlet.sleep(1)
