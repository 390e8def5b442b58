"""What the embedded nats-server finds in its folder: keys, configuration, and what JetStream has kept."""

import os
from collections.abc import Sequence
from pathlib import Path

import structlog

from adapters.nats_keys import Kind, is_seed, new_seed, public_key
from adapters.nats_rights import DIRECT_GET, DOWNSTREAM, OURS

_NO_ACCOUNT = "$G"
"""The account of whoever is in none, where versions before accounts had their streams."""
KEYS = {"seed": Kind.USER, "callout-issuer": Kind.ACCOUNT, "callout-xkey": Kind.CURVE}
"""Files with the seeds of what Minos is to NATS: its user, who says who others are, and what that is asked in private with."""

log = structlog.stdlib.get_logger()


class NatsHome:
    """The folder of one server. Every file in it is for our user alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seed = folder / "seed"
        """What Minos proves itself with."""
        self.callout_issuer = folder / "callout-issuer"
        self.callout_xkey = folder / "callout-xkey"

    def prepare(self, address: str) -> None:
        """Write everything for a server at `host:port`. Makes keys where there are none, or what is there was cut short."""
        write_private(self.folder / "nats.conf", _conf(address, *keep_keys(self.folder)))
        (self.folder / "password").unlink(missing_ok=True)  # of a version that sent one
        self._into_our_account()

    def _into_our_account(self) -> None:
        """Move the streams of a version before accounts: a stream does not know whose it is, only its folder says so."""
        kept = self.folder / "jetstream" / "jetstream"
        before, now = kept / _NO_ACCOUNT, kept / OURS
        if before.is_dir() and not now.exists():
            before.rename(now)
            log.info("streams_moved", folder=str(now))


def keep_keys(folder: Path) -> Sequence[str]:
    """Give the public keys, in the order of KEYS. Makes those that are not there, or of which the file was cut short."""
    for name, kind in KEYS.items():
        path = folder / name
        if not path.exists() or not is_seed(path.read_text().strip(), kind):
            write_private(path, new_seed(kind))
    return [public_key((folder / name).read_text().strip()) for name in KEYS]


def _conf(address: str, user: str, issuer: str, xkey: str) -> str:
    return f"""
server_name: minos
listen: "{address}"
pid_file: "nats.pid"
jetstream {{ store_dir: "jetstream", sync_interval: always }}
max_payload: 1MB
accounts {{
  {OURS} {{
    jetstream: enabled
    users: [ {{ nkey: {user} }} ]
    exports: [
      {{ service: "{DIRECT_GET}.*", response_type: stream, accounts: [{DOWNSTREAM}] }}
      {{ stream: "live.v1.>", accounts: [{DOWNSTREAM}] }}
      {{ stream: "hint.v1.>", accounts: [{DOWNSTREAM}] }}
    ]
  }}
  {DOWNSTREAM} {{
    limits {{ max_payload: 64KB, max_subscriptions: 1024 }}
    imports: [
      {{ service: {{ account: {OURS}, subject: "{DIRECT_GET}.*" }} }}
      {{ stream: {{ account: {OURS}, subject: "live.v1.>" }} }}
      {{ stream: {{ account: {OURS}, subject: "hint.v1.>" }} }}
    ]
  }}
}}
authorization {{
  timeout: 5
  auth_callout {{ account: {OURS}, auth_users: [ {user} ], issuer: {issuer}, xkey: {xkey} }}
}}
"""


def write_private(path: Path, text: str) -> None:
    scratch = path.with_name(path.name + ".new")
    scratch.unlink(missing_ok=True)
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    scratch.rename(path)
