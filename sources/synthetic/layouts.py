"""The three dialects of the front page interface, and the carriers in which their files travel.

Belongs here: column order and column types of each dialect, how a cell of an A/B/C/D item is written in
another dialect, CSV and DBF text, encodings, gzip and zip with fixed times. Does not belong here: what
the cells say.

The DBF writer is our own because no maintained Python library writes DBF, let alone 254 columns at speed;
it writes dBASE III headers and fixed-width records, which is all that the interface uses.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import groupby, repeat

import numpy as np

from sources.synthetic.cells import MISSING, OTHER_SLOTS, Cells, operation_columns


@dataclass(frozen=True)
class Column:
    """One column of a dialect: name, the A/B/C/D item it carries (None = never filled), DBF type."""

    name: str
    item: str | None
    kind: str = "C"
    width: int = 20
    decimals: int = 0


@dataclass(frozen=True)
class Layout:
    """The columns of one kind of file, in order."""

    name: str
    columns: tuple[Column, ...]
    missing: str = MISSING

    @cached_property
    def carries(self) -> frozenset[str]:
        """The A/B/C/D items that the layout has a column for."""
        return frozenset(column.item.split("@")[0] for column in self.columns if column.item)


# --- A/B/C/D collection codes: 642 columns ---

_HEAD = [
    "A01",
    "A02",
    "A48",
    "A49",
    "B12",
    "B15",
    "A47",
    "A46C",
    "A11",
    "A12C",
    "A13",
    "A14",
    "A15C",
    "A21C",
    "A38C",
    "A19C",
    "A20",
    "A22",
    "A23C",
    "A24",
    "A25C",
    "A26",
    "A27",
    "A28C",
    "A29",
    "A30",
    "A31C",
    "A32",
    "A33C",
    "A34",
    "A35",
    "B11C",
    "B13C",
    "B14",
    "B21C",
    "B16C",
    "B17",
    "B20",
    "C01C",
    "C02N",
    "C03C",
    "C04N",
    "C05C",
]
_MIDDLE = [
    "C09C",
    "C10N",
    "C11",
    "C12C",
    "C13N",
    "C24C",
    "C25",
    "B22",
    "B23",
    "B24",
    "B25",
    "B26",
    "B27",
    "B28",
    "B29",
    "B30C",
    "B31",
    "B32",
    "B33",
    "C34C",
    "C26C",
    "C27C",
]
_TAIL = [
    "A16",
    "A18x01",
    "A18x02",
    "A18x03",
    "A18x04",
    "A18x05",
    "A17",
    "C28",
    "C29",
    "C30",
    "C31",
    "C32",
    "C33",
    "B36C",
    "B37",
    "B34C",
    "B35",
    "D01",
    "D09",
    "D11",
    "D12",
    "D13",
    "D14",
    "D15",
    "D16",
    "D17",
    "D18",
    "D19",
    "D19x01",
    "D20",
    "D20x01",
    "D20x02",
    "D21",
    "D22",
    "D23",
    "D23x01",
    "D24",
    "D25",
    "D26",
    "D27",
    "D28",
    "D29",
    "D30",
    "D31",
    "D32",
    "D33",
    "D34",
]


def official_columns() -> list[str]:
    """The 642 collection codes in the order of the interface."""
    others = [
        code
        for slot in range(1, OTHER_SLOTS + 1)
        for code in (f"C06x{slot:02d}C", f"C07x{slot:02d}N", f"C08x{slot:02d}C")
    ]
    operations = [code for slot in range(OTHER_SLOTS + 1) for code in operation_columns(slot).values()]
    return [*_HEAD, *others, *_MIDDLE, *operations, *_TAIL]


def extension_columns() -> list[str]:
    """Columns of the 2022 extension that some hospitals append."""
    outcomes = [f"F06x{slot:02d}" for slot in range(1, OTHER_SLOTS + 1)]
    return ["F01", "F02C", "F03N", "F04", "F05", *outcomes, "B38", "C47"]


@cache
def abcd_layout(*, extended: bool, shuffle_seed: int | None) -> Layout:
    """A/B/C/D layout, with the extension where asked, in shuffled order where a seed is given."""
    names = official_columns() + (extension_columns() if extended else [])
    if shuffle_seed is not None:
        names = [names[i] for i in np.random.default_rng(shuffle_seed).permutation(len(names)).tolist()]
    return Layout("hqms_abcd", tuple(Column(name, name) for name in names))


# --- pinyin codes (TCM hospitals) ---

_PINYIN = """
USERNAME= ZZJGDM=A01 JGMC=A02 YLFKFS=A46C JKKH=A47 ZYCS=A49 BAH=A48 XM=A11 XB=A12C CSRQ=A13 NL=A14
GJ=A15C BZYZS_NL=A16 XSETZ=A18x01 XSERYTZ=A17 CSD=A22 JG=A23C MZ=A19C SFZH=A20 ZY=A38C HY=A21C XZZ=A26
DH=A27 YB1=A28C HKDZ=A24 YB2=A25C GZDWJDZ=A29 DWDH=A30 YB3=A31C LXRXM=A32 GX=A33C DZ=A34 DH2=A35
RYTJ=B11C RYSJ=B12@day RYSJ_S=B12@hour RYKB=B13C RYBF=B14 ZKKB=B21C CYSJ=B15@day CYSJ_S=B15@hour
CYKB=B16C CYBF=B17 SJZY=B20 JBBM=C02N JBDM=C01C ZYZD=C04N ZYZD_JBBM=C03C RYBQ=C05C
"""
_PINYIN_MIDDLE = """
WBYY=C13N WBYY_JBBM=C12C BLZD=C10N BLZD_JBBM=C09C BLH=C11 YWGM=C24C GMYW=C25 SWHZSJ=C34C XX=C26C RH=C27C
KZR=B22 ZRYS=B23 ZZYS=B24 ZYYS=B25 ZRHS=B26 JXYS=B27 SXYS=B28 BMY=B29 BAZL=B30C ZKYS=B31 ZKHS=B32
ZKRQ=B33@day
"""
_PINYIN_TAIL = """
LYFS=B34C YZZY_JGMC=B35 WSY_JGMC= ZZYJH=B36C MD=B37 RYQ_T=C28 RYQ_XS=C29 RYQ_F=C30 RYH_T=C31 RYH_XS=C32
RYH_F=C33 HXJSY=C47 ZFY=D01 ZFJE=D09 YLFWF=D11 ZLCZF=D12 HLF=D13 QTFY=D14 BLZDF=D15 SYSZDF=D16
YXXZDF=D17 LCZDXMF=D18 FSSZLXMF=D19 WLZLF=D19x01 SSZLF=D20 MAF=D20x01 SSF=D20x02 KFF=D21 ZYZLF=D22
XYF=D23 KJYWF=D23x01 ZCYF=D24 ZCYF1=D25 XF=D26 BDBLZPF=D27 QDBLZPF=D28 NXYZLZPF=D29 XBYZLZPF=D30
HCYYCLF=D31 YYCLF=D32 YCXYYCLF=D33 QTF=D34
"""
_PINYIN_OPERATION = {
    "code": "SSJCZBM",
    "date": "SSJCZRQ",
    "level": "SHJB",
    "name": "SSJCZMC",
    "surgeon": "SZ",
    "first_assistant": "YZ",
    "second_assistant": "EZ",
    "incision": "QKYLB",
    "anaesthesia": "MZFS",
    "anaesthetist": "MZYS",
}


def _pairs(text: str) -> list[Column]:
    return [Column(name, item or None) for name, item in (pair.split("=") for pair in text.split())]


@cache
def pinyin_layout() -> Layout:
    """The layout of TCM hospitals; date and hour of admission and discharge are separate columns."""
    columns = _pairs(_PINYIN)
    for slot in range(1, OTHER_SLOTS + 1):
        columns += [
            Column(f"QTZD{slot}", f"C07x{slot:02d}N"),
            Column(f"JBDM{slot}", f"C06x{slot:02d}C"),
            Column(f"RYBQ{slot}", f"C08x{slot:02d}C"),
        ]
    columns += _pairs(_PINYIN_MIDDLE)
    for slot in range(OTHER_SLOTS + 1):
        items = operation_columns(slot)
        for part, prefix in _PINYIN_OPERATION.items():
            columns.append(Column(f"{prefix}{slot + 1}", items[part] + ("@day" if part == "date" else "")))
        columns.insert(-3, Column(f"QKDJ{slot + 1}", None))
    return Layout("hqms_pinyin", tuple(columns + _pairs(_PINYIN_TAIL)), missing="")


# --- P codes: two DBF tables ---

# name=item:type; C with its width, D date, N with digits and decimals
_P_HEAD = """
P900=A01:C22 P6891=A02:C80 P686=A47:C50 P800=:C50 P1=A46C:C3 P2=A49:N4 P3=A48:C50 P4=A11:C40 P5=A12C:C1
P6=A13:D8 P7=A14:N3 P66=:C4 P8=A21C:C1 P9=A38C:C2 P101=A22:C100 P102=:C30 P103=:C30 P11=A19C:C20
P12=A15C:C40 P13=A20:C20 P801=A26:C200 P802=A27:C40 P803=A28C:C6 P14=A29:C200 P15=A30:C40 P16=A31C:C6
P17=A24:C200 P171=A25C:C6 P18=A32:C40 P19=A33C:C1 P20=A34:C200 P804=B11C:C1 P21=A35:C40 P22=B12:C19
P23=B13C:C8 P231=B14:C30 P24=B21C:C30 P25=B15:C19 P26=B16C:C8 P261=B17:C30 P27=B20:N4 P28=C01C:C20
P281=C02N:C100 P29=F01:C1 P30=F02C:C20 P301=F03N:C100 P31=F04:D8
"""
_P_DIAGNOSES = [
    line.split()
    for line in """
P321 P322 P805 P323
P324 P325 P806 P326
P327 P328 P807 P329
P3291 P3292 P808 P3293
P3294 P3295 P809 P3296
P3297 P3298 P810 P3299
P3281 P3282 P811 P3283
P3284 P3285 P812 P3286
P3287 P3288 P813 P3289
P3271 P3272 P814 P3273
P3274 P3275 P815 P3276
""".strip().splitlines()
]
_P_MIDDLE = """
P689=:N3 P351=C09C:C20 P352=C10N:C100 P816=C11:C50 P353=:C20 P354=:C100 P817=:C50 P355=:C20 P356=:C100
P818=:C50 P361=C12C:C20 P362=C13N:C100 P363=:C20 P364=:C100 P365=:C20 P366=:C100 P371=C24C:C1
P372=C25:C100 P38=:C1 P39=:C1 P40=:C1 P411=:C1 P412=:C1 P413=:C1 P414=:C1 P415=:C1 P421=P421:N3
P422=P422:N3 P687=:C1 P688=:C1 P431=B22:C40 P432=B23:C40 P433=B24:C40 P434=B25:C40 P819=B26:C40
P435=B27:C40 P436=:C40 P437=B28:C40 P438=B29:C40 P44=B30C:C1 P45=B31:C40 P46=B32:C40 P47=B33@day:D8
"""
# code, date, level, name, site, hours, surgeon, two assistants, anaesthesia, its grade, incision,
# anaesthetist; the numbering is irregular (4925 is followed by 4526), so it is written out
_P_OPERATIONS = [
    line.split()
    for line in """
P490 P491 P820 P492 P493 P494 P495 P496 P497 P498 P4981 P499 P4910
P4911 P4912 P821 P4913 P4914 P4915 P4916 P4917 P4918 P4919 P4982 P4920 P4921
P4922 P4923 P822 P4924 P4925 P4526 P4527 P4528 P4529 P4530 P4983 P4531 P4532
P4533 P4534 P823 P4535 P4536 P4537 P4538 P4539 P4540 P4541 P4984 P4542 P4543
P4544 P4545 P824 P4546 P4547 P4548 P4549 P4550 P4551 P4552 P4985 P4553 P4554
P45002 P45003 P825 P45004 P45005 P45006 P45007 P45008 P45009 P45010 P45011 P45012 P45013
P45014 P45015 P826 P45016 P45017 P45018 P45019 P45020 P45021 P45022 P45023 P45024 P45025
P45026 P45027 P827 P45028 P45029 P45030 P45031 P45032 P45033 P45034 P45035 P45036 P45037
P45038 P45039 P828 P45040 P45041 P45042 P45043 P45044 P45045 P45046 P45047 P45048 P45049
P45050 P45051 P829 P45052 P45053 P45054 P45055 P45056 P45057 P45058 P45059 P45060 P45061
""".strip().splitlines()
]
_P_OPERATION_PARTS = [
    *(
        "code",
        "date",
        "level",
        "name",
        "",
        "",
        "surgeon",
        "first_assistant",
        "second_assistant",
        "anaesthesia",
        "",
    ),
    *("incision", "anaesthetist"),
]
_P_OPERATION_WIDTHS = [20, 19, 1, 100, 2, 6, 40, 40, 40, 6, 1, 2, 40]
_P_STAY = """
P561=:N4 P562=:N4 P563=:N4 P564=:N4 P6911=:C2 P6912=:C19 P6913=:C19 P6914=:C2 P6915=:C19 P6916=:C19
P6917=:C2 P6918=:C19 P6919=:C19 P6920=:C2 P6921=:C19 P6922=:C19 P6923=:C2 P6924=:C19 P6925=:C19
P57=C34C:C1 P58=:C1 P581=:C1 P60=:C1 P611=:N3 P612=:N3 P613=:N3 P59=:C1 P62=C26C:C1 P63=C27C:C1 P64=:C1
P651=:N6 P652=:N6 P653=:N6 P654=:N6 P655=:N6 P656=:N6 P681=A18x01:N6 P682=:N6 P683=:N6 P684=:N6 P685=:N6
P67=A17:N6 P731=C29:N4 P732=C30:N4 P733=C32:N4 P734=C33:N4 P72=C47:N6 P830=B36C:C1 P831=B37:C100
P741=B34C:C1 P742=B35:C100 P743=:C100
"""
_P_FEES = """
P782=D01:N10 P751=D09:N10 P752=D11:N10 P754=D12:N10 P755=D13:N10 P756=D14:N10 P757=D15:N10 P758=D16:N10
P759=D17:N10 P760=D18:N10 P761=D19:N10 P762=D19x01:N10 P763=D20:N10 P764=D20x01:N10 P765=D20x02:N10
P767=D21:N10 P768=D22:N10 P769=D23:N10 P770=D23x01:N10 P771=D24:N10 P772=D25:N10 P773=D26:N10
P774=D27:N10 P775=D28:N10 P776=D29:N10 P777=D30:N10 P778=D31:N10 P779=D32:N10 P780=D33:N10 P781=D34:N10
"""
P_FIRST_TABLE = 254
P_REPEATED = ("P3", "P20")


def _typed(text: str) -> list[Column]:
    columns = []
    for entry in text.split():
        name, rest = entry.split("=")
        item, form = rest.split(":")
        columns.append(Column(name, item or None, form[0], int(form[1:])))
    return columns


@cache
def p_layout() -> Layout:
    """The older P codes as one wide table; `dbf_tables` splits it into the two that travel."""
    columns = _typed(_P_HEAD)
    for slot, (code, name, state, outcome) in enumerate(_P_DIAGNOSES):
        items = (
            ("C03C", "C04N", "C05C", "F05")
            if slot == 0
            else (f"C06x{slot:02d}C", f"C07x{slot:02d}N", f"C08x{slot:02d}C", f"F06x{slot:02d}")
        )
        widths = (20, 100, 1, 1)
        columns += [
            Column(n, item, "C", width)
            for n, item, width in zip((code, name, state, outcome), items, widths, strict=True)
        ]
    columns += _typed(_P_MIDDLE)
    for slot, names in enumerate(_P_OPERATIONS):
        items_of = operation_columns(slot)
        columns += [
            Column(name, items_of.get(part), "C", width)
            for name, part, width in zip(names, _P_OPERATION_PARTS, _P_OPERATION_WIDTHS, strict=True)
        ]
    columns += _typed(_P_STAY)
    columns += [replace(column, decimals=2) for column in _typed(_P_FEES)]
    return Layout("hqms_p", tuple(columns), missing="")


# --- cells of a layout ---

_TRANSFORMS: dict[str, Callable[[str], str]] = {
    "day": lambda text: text[:10],
    "hour": lambda text: str(int(text[11:13])) if text[11:13].isdigit() else text,
}


def _column_cells(layout: Layout, column: Column, cells: Cells) -> list[str] | None:
    """Cells of one column, or None where no row has anything."""
    if column.item is None:
        return None
    item, _, transform = column.item.partition("@")
    values = cells.get(item)
    if values is None:
        return None
    if transform:
        change = _TRANSFORMS[transform]
        values = [change(text) if text != MISSING else MISSING for text in values]
    if layout.missing != MISSING:
        values = [layout.missing if text == MISSING else text for text in values]
    return values


def csv_lines(layout: Layout, cells: Cells) -> list[str]:
    """Rows of a CSV without line ends; columns empty in the whole block are written as one constant."""
    # the list of departments is the only item whose text may hold a comma
    cells = cells | {"B21C": [f'"{text}"' if "," in text else text for text in cells["B21C"]]}
    rows = len(cells["A48"])
    columns: list[Iterable[str]] = []
    contents = (_column_cells(layout, column, cells) for column in layout.columns)
    for empty, run in groupby(contents, key=lambda values: values is None):
        if empty:
            columns.append(repeat(",".join([layout.missing] * len(list(run))), rows))
        else:
            columns.extend(values for values in run if values is not None)
    return [",".join(row) for row in zip(*columns, strict=True)]


def csv_header(layout: Layout) -> str:
    """The header line of a CSV."""
    return ",".join(column.name for column in layout.columns)


def dbf_tables(layout: Layout, cells: Cells) -> list[bytes]:
    """The two DBF files of the P interface: 254 columns, then the rest after the repeated P3 and P20."""
    named = {column.name: column for column in layout.columns}
    parts = [
        layout.columns[:P_FIRST_TABLE],
        tuple(named[name] for name in P_REPEATED) + layout.columns[P_FIRST_TABLE:],
    ]
    return [_dbf(part, [_column_cells(layout, column, cells) for column in part], len(cells["A48"])) for part in parts]


def _dbf(columns: Sequence[Column], values: list[list[str] | None], rows: int) -> bytes:
    record = 1 + sum(column.width for column in columns)
    head = bytearray(b"\x03\x14\x01\x01")
    head += rows.to_bytes(4, "little") + (33 + 32 * len(columns)).to_bytes(2, "little") + record.to_bytes(2, "little")
    head += bytes(17) + b"\x4d" + bytes(2)  # 0x4d: code page 936
    for column in columns:
        head += column.name.encode().ljust(11, b"\0") + column.kind.encode() + bytes(4)
        head += bytes([column.width, column.decimals]) + bytes(14)
    head += b"\r"
    fields: list[Iterable[bytes]] = [repeat(b" ", rows)]
    for column, texts in zip(columns, values, strict=True):
        width = column.width
        if texts is None:
            fields.append(repeat(b" " * width, rows))
        elif column.kind == "D":
            fields.append([text.replace("-", "").encode()[:8].ljust(8) for text in texts])
        elif column.kind == "N":
            fields.append([text.encode().rjust(width) for text in texts])
        else:
            fitted = {text: _fit(text, width) for text in set(texts)}
            fields.append([fitted[text] for text in texts])
    return bytes(head) + b"".join(map(b"".join, zip(*fields, strict=True))) + b"\x1a"


def _fit(text: str, width: int) -> bytes:
    raw = text.encode("gbk")
    if len(raw) > width:
        raise ValueError(f"{text!r} does not fit {width} bytes")
    return raw.ljust(width)


# --- carriers ---


def gzipped(data: bytes) -> bytes:
    """gzip without a time stamp."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0, compresslevel=4) as stream:
        stream.write(data)
    return buffer.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip whose members all carry the same fixed date."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 4)
    return buffer.getvalue()
