"""python ready.py URL: exit 0 where /readyz answers 200; for containers, which have no other client in them."""

import sys
import urllib.error
import urllib.request


def main(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=4) as answer:  # noqa: S310 - the address is the image's own
            return 0 if answer.status == 200 else 1  # noqa: PLR2004
    except (urllib.error.URLError, OSError) as error:
        sys.stderr.write(f"{address}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
