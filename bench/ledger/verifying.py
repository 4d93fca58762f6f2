"""python -m bench.ledger.verifying FOLDER VKEY: an auditor's verification as it is shipped, then its peak memory."""

import json
import sys

from audit import verify
from bench.ledger.watching import peak_memory


def main() -> int:
    folder, vkey = sys.argv[1:]
    code = verify.main([folder, "--key", vkey, "--json"])
    sys.stdout.write(json.dumps({"peak_mib": peak_memory()}) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
