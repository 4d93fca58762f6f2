"""What must hold between a bundle, its matters and what they need; with file and line."""

from collections.abc import Mapping

from policies.catalogue_files import BundlePartRow, BundleRow, ItemRow, MatterRow, Source
from policies.row_checks import check_file, check_unique, check_version, check_words
from policies.strict_yaml import Located
from policies.vocabulary import Party, SubjectKind


def check_bundle(source: Source[BundleRow], matters: Mapping[str, MatterRow], items: Mapping[str, ItemRow]) -> None:
    bundle, at = source.row, source.at
    check_file(at, bundle.id)
    check_version(at, bundle.version)
    for member, words in (("name", bundle.name), ("applicants", bundle.applicants)):
        check_words(at, words, member)
    check_unique(at, (f"{part.matter} of the {part.party}" for part in bundle.parts), "parts")
    for index, part in enumerate(bundle.parts):
        _check_part(at, bundle, part, index, matters, items)
    if len({matters[part.matter].recipient for part in bundle.parts}) == 1:
        raise at.error("a bundle has more than one recipient; a single one needs a matter only", "parts")


def _check_part(
    at: Located,
    bundle: BundleRow,
    part: BundlePartRow,
    index: int,
    matters: Mapping[str, MatterRow],
    items: Mapping[str, ItemRow],
) -> None:
    matter = matters.get(part.matter)
    if matter is None:
        raise at.error("the catalogue has no such matter", "parts", index, "matter")
    of_organisation = bundle.about is SubjectKind.ORGANISATION
    if part.party not in ({Party.APPLICANT, Party.HANDLER} if of_organisation else {Party.APPLICANT}):
        raise at.error("a bundle asks its applicant, and of an organisation its handler", "parts", index, "party")
    kind = SubjectKind.PERSON if part.party is Party.HANDLER else bundle.about
    if not any(need.default and items[need.item].about is kind for need in matter.needs):
        raise at.error(f"the matter asks nothing about a subject of this sort ({kind})", "parts", index)
