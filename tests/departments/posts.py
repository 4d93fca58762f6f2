"""Where a department posts its answers to: takes each, and believes those that its connector believes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from connectors.contract import Answer, Question
from connectors.directory import Directory
from connectors.push import PushConnector


@dataclass
class Box:
    """In a thread of its own: a post comes whether or not anybody looks."""

    url: str = ""
    posts: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)

    def answer(self, directory: Directory, question: Question) -> Answer | None:
        """What was posted as this question's answer."""
        (connector,) = directory.connectors(PushConnector)
        for headers, body in reversed(self.posts):
            pushed = connector.read_posted(headers, body)
            if pushed is not None and pushed.question == question.call:
                return directory.read(question, connector.route, lambda: connector.answer_in(pushed, question))  # noqa: B023 - read at once
        return None


@contextmanager
def open_box() -> Iterator[Box]:
    """On a free port of loopback."""
    box = Box()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            box.posts.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        box.url = f"http://127.0.0.1:{server.server_port}/posts"
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()
