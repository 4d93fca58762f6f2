"""Routes to the test gateway, one for each way of proving who asks, with the secrets they name."""

import copy
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from connectors.departments import gateway
from connectors.departments.beijing_fund import REQUESTER, SERVICE
from tests.connectors.asking import shipped_route

ITEM: Final = "hpf_remote_account"
MEMBERS: Final = {"xingming": "{person.name}", "zjhm": "{person.id_number}", "jgh": "{param.center_code}"}
ADDITIONAL: Final = {
    "content": {
        "powerMatters": "{matter}",
        "accesscardId": "{requester} {operator}",
        "sponsorName": "{person.name}",
        "sponsorCode": "{person.id_number}",
        "projectId": "{case}",
        "authorisation": "{consent}",
    }
}
STYLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "hmac_refreshed": {
        "path": "national",
        "body": "form",
        "authentication": {"sid": SERVICE, "rid": REQUESTER, "refresh_url": "refresh", "settle_seconds": 0.3},
    },
    "md5_rotating": {
        "path": "rotating",
        "body": "form",
        "additional": ADDITIONAL,
        "authentication": {
            "app_key": gateway.APP_KEY,
            "by_key_url": "by-key",
            "by_secret_url": "by-secret",
            "settle_seconds": 0.3,
        },
    },
    "ticket_token": {
        "path": "ticket",
        "body": "json",
        "additional": ADDITIONAL | {"as_text": False},
        "authentication": {"app_key": gateway.APP_KEY, "ticket_url": "ticket", "token_url": "token"},
    },
    "basic": {"path": "basic", "body": "json", "additional": ADDITIONAL, "authentication": {"user": "yz-hpf"}},
    "biz_content": {"path": "biz", "body": "form", "envelope": {"app_id": "yz-hpf", "secret": "app-secret"}},
    "rsa_para": {
        "path": "rsa",
        "body": "json",
        "envelope": {"centre": "C32100", "peer_key": "gateway-rsa-pub", "own_key": "caller-rsa"},
    },
    "sm2": {
        "path": "sm2",
        "body": "json",
        "envelope": {
            "group_id": "YZ-HPF",
            "peer_group_id": "BJ-HPF",
            "peer_key": "gateway-sm2-pub",
            "own_key": "caller-sm2",
        },
    },
}


def route(style: str, port: int, folder: Path) -> dict[str, Any]:
    """Return one route as it stands in a file."""
    shape = STYLES[style]
    shipped = shipped_route(ITEM, folder)
    base = f"http://127.0.0.1:{port}/{shape['path']}"
    request: dict[str, Any] = {"method": "POST", "url": f"{base}/query", shape["body"]: MEMBERS}
    made = {
        "name": style.replace("_", "-"),
        "kind": "http",
        "deadline_seconds": 5,
        "concurrency": 20,
        "request": request,
        "answer": {
            "format": "json",
            "status": {"at": "code", "success": ["00"], "family": "national_gateway", "codes": {"03": "auth_failed"}},
            "json_strings": ["datas"],
            "list_at": "datas",
        },
        "records": shipped["records"],
    }
    if style == "ticket_token":
        made["answer"]["status"] |= {"at": "status", "success": [0]}
    if "additional" in shape:
        request["additional"] = shape["additional"]
    if "envelope" in shape:
        made["envelope"] = {"kind": style, **shape["envelope"]}
    if "authentication" in shape:
        urls = {name: f"{base}/{to}" for name, to in shape["authentication"].items() if name.endswith("_url")}
        made["authentication"] = {"kind": style, "secret": "app-secret", **shape["authentication"], **urls}
    return copy.deepcopy(made)


def write(folder: Path, *routes: Mapping[str, Any]) -> Path:
    """Write a routes file; JSON is YAML too."""
    file = folder / "gateways.yaml"
    text = json.dumps({"items": [{"item": ITEM, "routes": routes}]}, ensure_ascii=False, indent=1)
    file.write_text(text, encoding="utf-8")
    return file


def copy_secrets(store: Path, folder: Path) -> Path:
    """Take what the gateway keeps for its caller."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for kept, name in {
        "app-secret": "app-secret",
        "gateway-rsa.pub": "gateway-rsa-pub",
        "caller-rsa": "caller-rsa",
        "gateway-sm2.pub": "gateway-sm2-pub",
        "caller-sm2": "caller-sm2",
    }.items():
        if (store / kept).exists():
            (folder / name).touch(mode=0o600)
            shutil.copyfile(store / kept, folder / name)
    return folder
