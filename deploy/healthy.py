#!/usr/bin/env python3
"""The health check of the container: `healthy` asks the API beside it, `healthy work` the workers. 0 when ready, 1 when not."""

import os
import sys
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit


def host() -> str:
    """A name the API answers to: the first that is allowed, or the issuer's."""
    allowed = os.environ.get("MINOS_ALLOWED_HOSTS", "").split(",")[0].strip()
    return allowed.replace("*", "health") or urlsplit(os.environ.get("MINOS_ISSUER", "")).netloc or "127.0.0.1"


def main(part: str) -> int:
    port = os.environ.get("MINOS_METRICS_PORT", "9464") if part == "work" else os.environ.get("MINOS_PORT", "8000")
    connection = HTTPConnection("127.0.0.1", int(port), timeout=4)
    try:
        connection.request("GET", "/health/ready", headers={"Host": host()})
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
    except (OSError, HTTPException) as error:
        print(f"no answer on port {port}: {error}")
        return 1
    finally:
        connection.close()
    print(answer.status, text)
    return 0 if answer.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "serve"))
