"""/verify: anybody checks a receipt in their own browser; nothing of it is sent here."""

from fastapi import APIRouter, Request, Response

from broker.api.wire import broker_of
from broker.pages.rendering import Language, language_of, page

router = APIRouter(tags=["public"])


@router.get("/verify")
async def verify(request: Request) -> Response:
    """The page. Its words are the server's, its checks are static/receipt.js in the reader's browser."""
    chinese = language_of(request) is Language.CHINESE
    names = {
        name: item.name_zh if chinese else item.name_en for name, item in broker_of(request).catalogue.items.items()
    }
    return page("verify.html", request, keep="no-cache", names=names)
