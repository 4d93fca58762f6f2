"""Every exception of this room, under one base. No text here ever holds a value of a request or a record."""


class PolicyError(Exception):
    """Something that may not be shared, or that the catalogue does not know."""


class UnknownMatter(PolicyError):
    """The catalogue has no such matter. The asked id is left out: it comes from a stranger."""

    def __init__(self) -> None:
        super().__init__("the catalogue has no such matter")


class UnknownItem(PolicyError):
    """The catalogue has no such item. The asked id is left out: it comes from a stranger."""

    def __init__(self) -> None:
        super().__init__("the catalogue has no such item")


class ValueRefusedError(PolicyError):
    """A value does not fit its declared kind. `member` says which one; the value itself is never kept."""

    def __init__(self, member: str, why: str) -> None:
        super().__init__(f"{member}: {why}")
        self.member = member
