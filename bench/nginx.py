"""nginx as Debian builds it, in a folder of its own."""

from pathlib import Path

from bench import debian

_AROUND = """
worker_processes 1;
daemon off;
pid nginx.pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {included};
}}
"""


def found() -> Path | str:
    """Give the program, or why there is none."""
    return debian.found("nginx", "usr/sbin/nginx", version="-v")


def configured(folder: Path, included: str) -> None:
    """Write `nginx.conf`, in which a file of `deploy/nginx` is included, with everything it needs in the folder."""
    (folder / "nginx.conf").write_text(_AROUND.format(folder=folder, included=included))
