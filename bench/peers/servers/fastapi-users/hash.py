"""Prints what checking one password takes of a processor, without a server around it."""

import json
import sys
import time

from fastapi_users.password import PasswordHelper

password, times = sys.argv[1], int(sys.argv[2])
helper = PasswordHelper()
encoded = helper.hash(password)
helper.verify_and_update(password, encoded)
began = time.process_time()
for _ in range(times):
    right, _ = helper.verify_and_update(password, encoded)
    if not right:
        raise SystemExit("the right password was refused")
took = time.process_time() - began
print(json.dumps({"kind": f"Argon2id {encoded.split('$')[3]}", "verify_ms": took * 1000 / times}))
