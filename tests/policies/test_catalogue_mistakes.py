"""Every way in which a catalogue may not add up is refused, with the file and the line of the mistake."""

import re
from pathlib import Path
from shutil import copyfile
from typing import NamedTuple

import pytest

from policies.catalogue import SHIPPED_CATALOGUE, Catalogue
from policies.strict_yaml import ConfigurationError

HEAD, DEPARTMENTS = "catalogue.yaml", "departments.yaml"
ESTATE, TAX = "items/real_estate_registration.yaml", "items/deed_tax.yaml"
MARRIAGE, ACCOUNT = "items/marriage_check_single.yaml", "items/hpf_remote_account.yaml"
MATTER = "matters/purchase_withdrawal.yaml"
LOAN, PROPERTY = "matters/cross_region_loan_application.yaml", "matters/property_info_query.yaml"
LOW_INCOME = "matters/low_income_withdrawal.yaml"


class Mistake(NamedTuple):
    file: str
    old: str
    """Stands exactly once in the shipped file."""
    new: str
    told: str
    marked: str = ""
    """A text on the line the error must name; `new` itself where empty."""


DEED = "fields: [tax_certificate_number, location, taxable_amount, paid_amount, paid_date]"
SINGLE = "    purpose: {zh: 我们要核对您现在的婚姻状况, en: We check your marital status today.}\n"
AFTER_SINGLE = SINGLE + "    legal_basis: separate_consent\n    keep_days: 30\n"

MISTAKES = {
    "an unknown department": Mistake(TAX, "department: taxation", "department: taxatoin", "no such department"),
    "a need of an unknown item": Mistake(MATTER, "- item: deed_tax", "- item: deed_tex", "no such item"),
    "a need of an unknown field": Mistake(MATTER, DEED, "fields: [paid_dote]", "the item has no such field"),
    "a verify need of a field it lacks": Mistake(
        MATTER, "fields: [marital_status]", "fields: [spouse_name]", "the item has no such field"
    ),
    "a need without fields": Mistake(MATTER, DEED, "fields: []", "length >= 1"),
    "a need naming a field twice": Mistake(MATTER, DEED, "fields: [paid_date, paid_date]", "stands twice"),
    "a need of the same item twice": Mistake(
        MATTER, "- item: deed_tax", "- item: real_estate_registration", "stands twice"
    ),
    "a need without fields at all": Mistake(
        MATTER, f"    {DEED}\n", "", "missing required field `fields`", "- item: deed_tax"
    ),
    "kept for no time": Mistake(
        MATTER, AFTER_SINGLE, AFTER_SINGLE.replace("30", "0"), "Expected `int` >= 1", "keep_days: 0"
    ),
    "kept for less than nothing": Mistake(
        MATTER, AFTER_SINGLE, AFTER_SINGLE.replace("30", "-1"), "Expected `int` >= 1", "keep_days: -1"
    ),
    "kept too long": Mistake(
        MATTER, AFTER_SINGLE, AFTER_SINGLE.replace("30", "181"), "Expected `int` <= 180", "keep_days: 181"
    ),
    "no uses": Mistake(MATTER, "uses: 3", "uses: 0", "Expected `int` >= 1"),
    "too many uses": Mistake(MATTER, "uses: 3", "uses: 101", "Expected `int` <= 100"),
    "uses in words": Mistake(MATTER, "uses: 3", "uses: three", "Expected `int`"),
    "valid for no day": Mistake(MATTER, "valid_days: 30", "valid_days: 0", "Expected `int` >= 1"),
    "valid too long": Mistake(MATTER, "valid_days: 30", "valid_days: 367", "Expected `int` <= 366"),
    "a sensitive field on plain consent": Mistake(
        MATTER,
        AFTER_SINGLE,
        AFTER_SINGLE.replace("separate_consent", "consent  # plain"),
        "the sensitive field marital_status wants separate_consent",
        "legal_basis: consent  # plain",
    ),
    "a sensitive field on a duty": Mistake(
        MATTER,
        AFTER_SINGLE,
        AFTER_SINGLE.replace("separate_consent", "statutory_duty"),
        "the sensitive field marital_status wants separate_consent",
        "legal_basis: statutory_duty",
    ),
    "an unknown legal basis": Mistake(
        MATTER,
        AFTER_SINGLE,
        AFTER_SINGLE.replace("separate_consent", "urgency"),
        "Invalid enum value 'urgency'",
        "legal_basis: urgency",
    ),
    "a need without a purpose": Mistake(
        MATTER, SINGLE, "", "missing required field `purpose`", "- item: marriage_check_single"
    ),
    "a purpose without Chinese": Mistake(MATTER, "zh: 我们要核对您现在的婚姻状况", "zh: marriage", "Chinese words"),
    "an empty purpose": Mistake(MATTER, "zh: 我们要核对您现在的婚姻状况", 'zh: ""', "Chinese words"),
    "a purpose without English": Mistake(MATTER, "en: We check your marital status today.", 'en: ""', "English words"),
    "no words on what else to do": Mistake(
        MATTER,
        "  zh: 不同意也能办：请带材料到任一窗口，或在线上传。\n",
        "",
        "missing required field `zh`",
        "You can still do this",
    ),
    "empty words on what else to do": Mistake(
        MATTER, "zh: 不同意也能办：请带材料到任一窗口，或在线上传。", 'zh: ""', "Chinese words"
    ),
    "a matter without a name in English": Mistake(
        MATTER,
        ", en: Housing fund withdrawal for a home purchase}",
        "}",
        "missing required field `en`",
        "name: {zh: 购房提取",
    ),
    "a matter's file name": Mistake(MATTER, "id: purchase_withdrawal", "id: purchase", "so the id must be"),
    "a matter's version": Mistake(MATTER, 'version: "2026-11"', 'version: "2026-13"', "a version reads like"),
    "a version as a number": Mistake(HEAD, '"2026-11"', "2026", "Expected `str`, got `int`"),
    "the catalogue's version": Mistake(HEAD, '"2026-11"', '"newest"', "a version reads like"),
    "an unknown member of a need": Mistake(
        MATTER, SINGLE, SINGLE + "    optional: true\n", "unknown field `optional`", "optional: true"
    ),
    "a need in no case": Mistake(
        MATTER,
        AFTER_SINGLE,
        AFTER_SINGLE + "    when: {zh: always, en: always}\n",
        "Chinese words",
        "when: {zh: always",
    ),
    "a credit report for something else than a loan": Mistake(
        LOAN, "family: loan", "family: withdrawal", "credit_report is for matters of loan only", "- item: credit_report"
    ),
    "a credit report on a separate consent": Mistake(
        LOAN,
        "legal_basis: written_consent",
        "legal_basis: separate_consent  # enough?",
        "credit_report is asked on written_consent only",
    ),
    "data where a check would do": Mistake(
        PROPERTY,
        "    default: false\n",
        "",
        "housing_ownership_summary answers the same with yes or no",
        "- item: real_estate_registration",
    ),
    "a check that has to be named": Mistake(
        PROPERTY,
        "    purpose: {zh: 我们要核对您有没有住房",
        "    default: false  # why?\n    purpose: {zh: 我们要核对您有没有住房",
        "housing_ownership_summary is the check of home_ownership",
        "- item: real_estate_registration",
    ),
    "a promise slower than the law": Mistake(
        MATTER, "days: {promised: 3, statutory: 3}", "days: {promised: 4, statutory: 3}", "longer than the law allows"
    ),
    "a way of handling that does not exist": Mistake(
        MATTER, "modes: [online, collect, joint]", "modes: [online, telepathy]", "Invalid enum value"
    ),
    "a way of handling twice": Mistake(
        MATTER, "modes: [online, collect, joint]", "modes: [online, online]", "online stands twice"
    ),
    "nobody who may apply": Mistake(MATTER, "zh: 自己或和配偶一起买房的职工", "zh: anybody", "Chinese words"),
    "a list that does not exist": Mistake(
        MATTER, "batch: cross_province_2021", "batch: cross_province_2031", "Invalid enum value"
    ),
    "zero-material typed": Mistake(
        MATTER,
        "materials:\n",
        "zero_material: true\nmaterials:\n",
        "unknown field `zero_material`",
        "zero_material: true",
    ),
    "a material counted by hand": Mistake(
        MATTER,
        "materials:\n",
        "materials_now: 0\nmaterials:\n",
        "unknown field `materials_now`",
        "materials_now: 0",
    ),
    "a material replaced by nothing": Mistake(
        MATTER,
        "en: Id card}, state: replaced, item: resident_identity_check",
        "en: Id card}, state: replaced",
        "names the item",
    ),
    "a material kept and replaced": Mistake(
        MATTER, "en: Id card}, state: replaced", "en: Id card}, state: kept", "and no other, names the item"
    ),
    "a material replaced by an item out of the matter": Mistake(
        MATTER,
        "en: Bank card}, state: replaced, item: bank_account_check",
        "en: Bank card}, state: replaced, item: medical_expense",
        "the matter needs no such item",
    ),
    "a material twice": Mistake(MATTER, "{zh: 银行卡, en: Bank card}", "{zh: 身份证, en: Card}", "身份证 stands twice"),
    "a material in one language": Mistake(MATTER, "en: Bank card}", "en: 卡}", "English words"),
    "a material of an unknown state": Mistake(
        MATTER,
        "en: Proof of owning no home}, state: abolished",
        "en: Proof of owning no home}, state: lost",
        "Invalid enum",
    ),
    "a real person's number as example": Mistake(
        TAX, 'example: "321099199001011237"', 'example: "321002199001011237"', "could be somebody's"
    ),
    "a real person's old number within an example": Mistake(
        ACCOUNT, 'example: "000000000001"', 'example: "320102690101123-9"', "could be somebody's"
    ),
    "a face": Mistake(TAX, "id: transfer_area", "id: face_image", "is never shared"),
    "a face by its name": Mistake(
        TAX, "zh: 权属转移面积（平方米）", "zh: 人脸照片", "is never shared", "id: transfer_area"
    ),
    "a question that is no id": Mistake(
        ESTATE, "question: home_ownership", "question: Home?", "an id is small letters"
    ),
    "a joint party that may not be asked": Mistake(
        ESTATE,
        "parties: [applicant, spouse]",
        "parties: [applicant]\njoint: [applicant, spouse]",
        "not among its parties",
        "joint:",
    ),
    "an item that never changes": Mistake(TAX, "updated: realtime", "updated: never", "Invalid enum value"),
    "an item shared in secret": Mistake(TAX, "sharing: conditional", "sharing: secret", "Invalid enum value"),
    "an item's file name": Mistake(TAX, "id: deed_tax", "id: deed_tax2", "so the id must be deed_tax"),
    "an item without a name": Mistake(
        TAX, "name: {zh: 契税完税信息, en: Deed tax payments}\n", "", "missing required field `name`", "id: deed_tax"
    ),
    "an item's name in one language": Mistake(TAX, "en: Deed tax payments", "en: 契税", "English words"),
    "an unknown kind of item": Mistake(TAX, "kind: query", "kind: guess", "Invalid enum value"),
    "a field twice": Mistake(TAX, "id: transfer_area", "id: taxable_amount", "taxable_amount stands twice"),
    "a field's id": Mistake(TAX, "id: transfer_area", "id: Transfer-Area", "an id is small letters"),
    "a field's id like a card number": Mistake(
        TAX, "id: transfer_area", "id: n321099199001011237", "shaped like an id-card number"
    ),
    "a field's name": Mistake(TAX, "zh: 计税金额", "zh: amount", "Chinese words"),
    "a field without sensitivity": Mistake(
        MARRIAGE,
        "    kind: date\n    sensitive: true\n",
        "    kind: date\n",
        "missing required field `sensitive`",
        "id: registration_date",
    ),
    "a code without codes": Mistake(
        MARRIAGE, "    kind: date\n", "    kind: code\n", "a field of kind code needs its codes"
    ),
    "codes without a code": Mistake(
        MARRIAGE, "    kind: code\n", "    kind: text\n", "only a field of kind code has codes", '"10"'
    ),
    "an example out of the codes": Mistake(MARRIAGE, 'example: "20"', 'example: "21"', "is not in the code table"),
    "a code out of form": Mistake(MARRIAGE, '"90": 未说明', '"9 0": 未说明', "a code is 1 to 10"),
    "a code without meaning": Mistake(MARRIAGE, '"90": 未说明', '"90": "?"', "a code's meaning is in Chinese"),
    "a code as a number": Mistake(MARRIAGE, '"90": 未说明', "90: 未说明", "Expected `str`, got `int`", '"10"'),
    "an example that is no date": Mistake(MARRIAGE, '"2020-05-20"', '"2020-02-30"', "is not a calendar date"),
    "an example that is no money": Mistake(
        TAX, 'example: "1234500"', 'example: "12345.00"', "is not an integer amount"
    ),
    "an example that is no decimal": Mistake(TAX, 'example: "118.50"', 'example: "118,50"', "is not a decimal"),
    "an example that is too long": Mistake(ACCOUNT, "example: C11000", "example: C110001", "within its length"),
    "an example that is no flag": Mistake(
        ESTATE,
        "Seized or not}\n    kind: flag",
        "Seized or not}\n    kind: integer",
        "is not an integer",
        'example: "false"',
    ),
    "a length of nothing": Mistake(ACCOUNT, "max_length: 6", "max_length: 0", "Expected `int` >= 1"),
    "a parameter twice": Mistake(TAX, "id: date_to", "id: date_from", "date_from stands twice"),
    "a parameter's id": Mistake(TAX, "id: date_to", "id: 2date", "an id is small letters"),
    "a parameter's words": Mistake(TAX, "zh: 缴款日期到", "zh: to", "Chinese words"),
    "a parameter of a kind that cannot be asked": Mistake(
        ESTATE, '    kind: code\n    pattern: "[0-9]{6}"\n', "    kind: money\n", "of kind text, code or date"
    ),
    "a code parameter without its pattern": Mistake(
        ESTATE,
        '    kind: code\n    pattern: "[0-9]{6}"\n',
        "    kind: code  # any\n",
        "needs its pattern",
    ),
    "a date parameter with a pattern": Mistake(
        TAX,
        "Paid on or before}\n    kind: date\n",
        "Paid on or before}\n    kind: date\n    pattern: x\n",
        "takes no",
        ": x",
    ),
    "a pattern that does not compile": Mistake(
        ESTATE, 'pattern: "[0-9]{6}"', 'pattern: "[0-9"', "not a regular expression"
    ),
    "one party jointly": Mistake(TAX, "kind: query", "kind: query\njoint: [applicant]", "two parties", "joint"),
    "a party twice": Mistake(
        TAX, "kind: query", "kind: query\njoint: [spouse, spouse]", "a party stands twice", "joint"
    ),
    "an unknown party": Mistake(TAX, "kind: query", "kind: query\njoint: [cousin]", "Invalid enum value", "joint"),
    "a department twice": Mistake(
        DEPARTMENTS, "id: taxation", "id: natural_resources", "natural_resources stands twice"
    ),
    "a department's id": Mistake(DEPARTMENTS, "id: taxation", "id: 税务", "an id is small letters"),
    "a department's words": Mistake(DEPARTMENTS, "zh: 税务局", "zh: tax", "Chinese words"),
    "a department without a level": Mistake(DEPARTMENTS, "level: cross-region", 'level: ""', "length >= 1"),
    "a member twice": Mistake(TAX, "kind: query", "kind: query\nkind: verify", "member stands twice", "kind: verify"),
}


NEEDED = re.compile(r"^ +(?:- )?item: ([a-z_]+)$", re.MULTILINE)


def copy_for(folder: Path, *matters: str) -> Path:
    """Write what these shipped matters need, and nothing else, into `folder`: reading it all would take its time."""
    texts = [(SHIPPED_CATALOGUE / name).read_text(encoding="utf-8") for name in matters]
    items = {f"items/{item}.yaml" for text in texts for item in NEEDED.findall(text)}
    for name in (HEAD, DEPARTMENTS, *matters, *items):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copyfile(SHIPPED_CATALOGUE / name, folder / name)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy_for(tmp_path / "catalogue", MATTER)


def line_of(text: str, mark: str) -> int:
    # Of several lines with the mark the last is meant: repeats are told where they repeat.
    return text.count("\n", 0, text.rindex(mark) + len(mark) - len(mark.lstrip())) + 1


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_file_and_line(name: str, tmp_path: Path) -> None:
    mistake = MISTAKES[name]
    folder = copy_for(tmp_path / "catalogue", mistake.file if mistake.file.startswith("matters/") else MATTER)
    path = folder / mistake.file
    text = path.read_text(encoding="utf-8")
    assert text.count(mistake.old) == 1, "the shipped file has changed under this test"
    changed = text.replace(mistake.old, mistake.new)
    path.write_text(changed, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        Catalogue.load(folder)
    where, _, message = str(caught.value).partition(": ")
    assert where == f"{path}:{line_of(changed, mistake.marked or mistake.new)}"
    assert mistake.told in message


def test_a_matter_that_asks_nothing_unless_named_is_refused(tmp_path: Path) -> None:
    folder = copy_for(tmp_path / "catalogue", LOW_INCOME)
    path = folder / LOW_INCOME
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("    keep_days: 30\n", "    keep_days: 30\n    default: false\n"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"low_income_withdrawal\.yaml:\d+: at least one need is asked"):
        Catalogue.load(folder)


def test_the_same_id_in_two_files_is_refused(folder: Path) -> None:
    (folder / "items" / "deed_tax_again.yaml").write_bytes((folder / TAX).read_bytes())
    with pytest.raises(ConfigurationError, match=r"deed_tax_again\.yaml:1: another file has the id deed_tax already"):
        Catalogue.load(folder)


@pytest.mark.parametrize(
    "name", ["items/notes.txt", "items/deed_tax.yml", "matters/old/loan.yaml", "README.md", ".swp"]
)
def test_a_stray_file_is_refused(name: str, folder: Path) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("id: x\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no place for this file"):
        Catalogue.load(folder)


@pytest.mark.parametrize("name", [HEAD, DEPARTMENTS, TAX])
def test_a_missing_file_is_told(name: str, folder: Path) -> None:
    (folder / name).unlink()
    with pytest.raises(ConfigurationError, match=r"cannot be read|no such item"):
        Catalogue.load(folder)


def test_an_absent_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Catalogue.load(tmp_path / "absent")
