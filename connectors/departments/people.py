"""Test departments' made-up people and firms. Division 321099 never existed, so these numbers can be nobody's."""

from dataclasses import dataclass
from typing import Final

from connectors.identity import canonical
from policies.identifiers import check_digit, uscc_check
from policies.vocabulary import Organisation, Person


@dataclass(frozen=True, slots=True)
class Home:
    """A registered home; amounts are yuan as the tax office writes them, dates YYYY-MM-DD."""

    unit: str
    certificate: str
    location: str
    area: str
    registered: str
    co_ownership: str = "单独所有"
    share: str = "100%"
    taxable: str = "980000.00"
    tax_paid: str = "9800.00"
    tax_date: str = ""
    """Empty where no deed tax is on file."""
    historical: bool = False
    mortgaged: bool = False


@dataclass(frozen=True, slots=True)
class FundAccount:
    """An account at the Beijing centre; amounts are yuan."""

    number: str
    opened: str
    base: str
    monthly: str
    balance: str
    status: str = "01"


@dataclass(frozen=True, slots=True)
class Resident:
    """One made-up person and what each department holds about them."""

    person: Person
    marriage: tuple[str, str] | None
    """GB/T 2261.2 code and date; None where civil affairs has no file at all."""
    homes: tuple[Home, ...] = ()
    fund: FundAccount | None = None


@dataclass(frozen=True, slots=True)
class Enterprise:
    """A made-up firm as the market's register holds it."""

    organisation: Organisation
    representative: Person
    address: str
    founded: str


def made_up_firm(name: str, order: int) -> Organisation:
    """Return an organisation with the social credit code of this order, its check character included."""
    seventeen = f"91321099MA{order:07d}"
    return Organisation(name, seventeen + uscc_check(seventeen))


def made_up(name: str, birth: str, order: int) -> Person:
    """Return a person with the id number of this birth date (YYYYMMDD) and order, its check digit included."""
    seventeen = f"321099{birth}{order:03d}"
    return Person(name, seventeen + check_digit(seventeen))


def home(order: int, place: str, area: str, registered: str) -> Home:
    """Return a plain home of one owner whose deed tax was paid on the day of registration."""
    return Home(
        unit=f"321099001001GB{order:05d}F00010001",
        certificate=f"苏({registered[:4]})扬州市不动产权第{order:07d}号",
        location=f"扬州市{place}",
        area=area,
        registered=registered,
        tax_date=registered,
    )


XU: Final = made_up("徐建国", "19860312", 17)
"""Works in Beijing, has his fund account there, bought a home in Yangzhou with his wife."""
LIN: Final = made_up("林晓燕", "19880924", 42)
"""His wife, co-owner of the home."""
UNMARRIED: Final = made_up("周一鸣", "19991105", 33)
NO_HOME: Final = made_up("孙佳宁", "19930728", 28)
OLD_FORM: Final = made_up("钱德福", "19560218", 51)
"""The property register still files him under his 15-digit number."""
TWO_HOMES: Final = made_up("吴国栋", "19740930", 75)
"""A present and a historical registration."""
UNKNOWN: Final = made_up("佘无名", "20010101", 19)
"""No department has ever heard of this person."""

_FAMILY_HOME: Final = Home(
    unit="321099001001GB00001F00020902",
    certificate="苏(2026)扬州市不动产权第0012345号",
    location="扬州市示例区文昌示例路88号2幢902室",
    area="118.50",
    registered="2026-10-20",
    co_ownership="共同共有",
    taxable="1234500.00",
    tax_paid="12345.00",
    tax_date="2026-10-18",
)

_NAMED: Final = (
    Resident(
        XU,
        ("20", "2014-05-20"),
        (_FAMILY_HOME,),
        FundAccount("110000000017", "2010-07-01", "18000.00", "2160.00", "286500.00"),
    ),
    Resident(LIN, ("20", "2014-05-20"), (_FAMILY_HOME,)),
    Resident(
        UNMARRIED,
        ("10", ""),
        (home(33, "示例区淮海示例路3号1幢301室", "89.20", "2025-03-11"),),
        FundAccount("110000000033", "2022-08-01", "9800.00", "1176.00", "52311.27"),
    ),
    Resident(
        NO_HOME,
        ("40", "2023-11-02"),
        (),
        FundAccount("110000000028", "2016-03-01", "12500.00", "1500.00", "143020.55", status="02"),
    ),
    Resident(OLD_FORM, ("30", "2019-01-15"), (home(51, "示例区汶河示例路12号", "62.00", "1998-06-30"),)),
    Resident(
        TWO_HOMES,
        ("20", "1999-10-01"),
        (
            Home(
                "321099001001GB00075F00010001",
                "苏(2004)扬州市不动产权第0000075号",
                "扬州市示例区旧巷7号",
                "54.30",
                "2004-04-04",
                historical=True,
            ),
            home(76, "示例区邗江示例路7号6幢1102室", "131.75", "2018-09-09"),
        ),
    ),
)

_OTHERS: Final = (
    ("郑海燕", "19810103", 101),
    ("王立新", "19820214", 102),
    ("冯秀兰", "19830325", 103),
    ("陈志强", "19840406", 104),
    ("褚文静", "19850517", 105),
    ("卫东升", "19860628", 106),
    ("蒋雪梅", "19870709", 107),
    ("沈国华", "19880820", 108),
    ("韩冬青", "19890901", 109),
    ("杨柳青", "19901012", 110),
    ("朱明亮", "19911123", 111),
    ("秦岭南", "19921204", 112),
    ("尤小满", "19931215", 113),
    ("许可馨", "19940126", 114),
    ("何其芳", "19950207", 115),
    ("吕望舒", "19960318", 116),
)


def _other(order: int, person: Person) -> Resident:
    married = ("20", f"20{10 + order % 12:02d}-06-18") if order % 3 else ("10", "")
    homes = (home(order, f"示例区平山示例路{order}号", f"{70 + order % 50}.00", f"20{12 + order % 13:02d}-05-06"),)
    monthly = 900 + 10 * order
    fund = FundAccount(f"110000000{order}", "2015-09-01", f"{monthly * 8}.00", f"{monthly}.00", f"{monthly * 60}.18")
    return Resident(person, married, homes, fund if order % 2 else None)


FIRM: Final = made_up_firm("扬州示例科技有限公司", 17)
"""Founded by the unmarried one, who is also its handler."""
OTHER_FIRM: Final = made_up_firm("扬州另例贸易有限公司", 18)
ENTERPRISES: Final = (
    Enterprise(FIRM, UNMARRIED, "扬州市示例区文昌示例路1号1幢101室", "2026-11-02"),
    Enterprise(OTHER_FIRM, TWO_HOMES, "扬州市示例区汶河示例路2号", "2019-05-06"),
)

RESIDENTS: Final = (*_NAMED, *(_other(order, made_up(name, birth, order)) for name, birth, order in _OTHERS))
_BY_NUMBER: Final = {resident.person.id_number: resident for resident in RESIDENTS}


def somebody_else(id_number: str) -> Resident:
    """Return a resident of another number, for the department that answers about the wrong person."""
    return _BY_NUMBER[UNMARRIED.id_number if canonical(id_number) != UNMARRIED.id_number else XU.id_number]
