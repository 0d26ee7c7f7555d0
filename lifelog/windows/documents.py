"""JSON documents and workbooks (xlsx) as tables of cells, within limits of size."""

import datetime
import json
import zipfile
from io import BytesIO
from typing import Any

import pandas as pd

from lifelog.windows.files import RawFile
from lifelog.windows.layout import BadInput

MAX_BYTES = 2**28  # of a document, unpacked: ten times as much memory
MAX_ROWS, MAX_COLUMNS = 2**20, 2**14  # of a sheet, as in Excel
MAX_CELLS = 2**24  # rows x columns, also of empty cells
DEEPEST = 100  # levels of a record


def read_document(file: RawFile, sheet: str | None = None) -> pd.DataFrame:
    """Read a JSON document or a workbook.

    Parameters
    ----------
    file : RawFile
        A JSON document (an array of records, or a record per line), or an xlsx file whose first row is the header.
    sheet : str, optional
        Sheet of a workbook; the first one by default.

    Returns
    -------
    pandas.DataFrame
        Cells with their types; the index is the number of the record, or of the row of the sheet, from 1. A value
        within a record of a record has the names of both, such as `value.steps`; columns of lists are left out.

    Raises
    ------
    BadInput
        If the file is damaged, larger than the limits, or has no rows.
    """
    suffix = "." + (file.member or file.path.name).lower().rpartition(".")[2]
    data, size = file.head(MAX_BYTES)
    if size > MAX_BYTES:
        raise BadInput("file too large", f"{file}: {size} bytes, at most {MAX_BYTES}; convert it to Parquet or CSV")
    try:
        return DOCUMENTS[suffix](data, file, sheet)
    except BadInput:
        raise
    except RecursionError:
        raise BadInput("unreadable file", f"{file}: values are nested too deep") from None
    except Exception as error:  # whatever a parser raises within a damaged document
        raise BadInput("unreadable file", f"{file}: {type(error).__name__}: {error}") from None


def _json(data: bytes, file: RawFile, sheet: str | None) -> pd.DataFrame:
    text = data.decode("utf-8-sig")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise
        return _json_lines(data, file, sheet)
    if isinstance(document, dict):  # an export with its records under a key
        lists = [value for value in document.values() if isinstance(value, list)]
        document = lists[0] if len(lists) == 1 else [document]
    return _records(document, file, "record")


def _json_lines(data: bytes, file: RawFile, sheet: str | None) -> pd.DataFrame:
    records = []
    for number, line in enumerate(data.decode("utf-8-sig").split("\n"), 1):
        try:
            records += [json.loads(line)] if line.strip() else []
        except json.JSONDecodeError as error:
            raise BadInput("unreadable file", f"{file} line {number}: {error.msg}") from None
    return _records(records, file, "line")


def _records(records: Any, file: RawFile, unit: str) -> pd.DataFrame:
    """Return records as a table."""
    if not isinstance(records, list) or not records:
        raise BadInput("unreadable file", f"{file}: an array of records is expected")
    for number, record in enumerate(records, 1):
        if not isinstance(record, dict):
            raise BadInput("unreadable file", f"{file}: {unit} {number} is no record: {str(record)[:40]!r}")
    flat = [_flat(record, file, f"{unit} {number}") for number, record in enumerate(records, 1)]
    names = dict.fromkeys(name for record in flat for name in record)
    _check_size(len(flat), len(names), file)
    frame = pd.DataFrame(flat, columns=list(names), index=pd.RangeIndex(1, len(flat) + 1), dtype=object)
    is_list = frame.map(lambda cell: isinstance(cell, list))
    return frame.loc[:, ~(is_list.any() & (is_list | frame.isna()).all())]


def _check_size(rows: int, columns: int, file: RawFile) -> None:
    if rows * columns > MAX_CELLS:
        size = f"{rows} rows with {columns} columns, at most {MAX_CELLS} cells"
        raise BadInput("file too large", f"{file}: {size}; convert it to Parquet or CSV")


def _flat(record: dict[str, Any], file: RawFile, place: str) -> dict[str, Any]:
    """Return the values of a record and of records in it by their names."""
    flat: dict[str, Any] = {}
    inside = [("", record, 0)]
    while inside:
        prefix, of_record, level = inside.pop()
        if level > DEEPEST:
            raise RecursionError
        for name, value in of_record.items():
            if isinstance(value, dict):
                inside.append((f"{prefix}{name}.", value, level + 1))
            elif f"{prefix}{name}" in flat:
                raise BadInput("wrong columns", f"{file} {place}: {prefix + name!r} occurs twice")
            else:
                flat[f"{prefix}{name}"] = value
    return flat


def _workbook(data: bytes, file: RawFile, sheet: str | None) -> pd.DataFrame:
    from openpyxl import load_workbook

    with zipfile.ZipFile(BytesIO(data)) as archive:
        size = sum(member.file_size for member in archive.infolist())
        if size > MAX_BYTES:
            raise BadInput("file too large", f"{file}: {size} bytes unpacked, at most {MAX_BYTES}; save it as CSV")
        has_formulas = any(b"</f>" in archive.read(name) for name in archive.namelist() if "sheet" in name)
    book = load_workbook(BytesIO(data), read_only=True, data_only=True)
    if sheet is not None and sheet not in book.sheetnames:
        raise BadInput("wrong columns", f"{file}: no sheet {sheet!r}; the sheets are {book.sheetnames}")
    page = book[sheet] if sheet is not None else book.worksheets[0]
    page.reset_dimensions()  # the stated size may be wrong
    first = next(page.iter_rows(max_row=1, max_col=MAX_COLUMNS, values_only=True), ())
    header = ["" if name is None else str(name).strip() for name in first]
    while header and not header[-1]:
        header.pop()
    if not header or len(set(header)) < len(header):
        twice = next((name for name in header if header.count(name) > 1), "")
        raise BadInput("wrong columns", f"{file}: row 1 has no header, or {twice!r} twice: {header[:30]}")
    cells, numbers = list[list[Any]](), list[int]()
    place: Any = {"min_row": 2, "max_row": MAX_ROWS + 1, "max_col": len(header), "values_only": True}
    if has_formulas:
        _check_saved(page, load_workbook(BytesIO(data), read_only=True)[page.title], place, file)
    for number, row in enumerate(page.iter_rows(**place), 2):
        _check_size(len(cells), len(header), file)
        if number > MAX_ROWS:
            raise BadInput("file too large", f"{file}: more than {MAX_ROWS} rows; save it as CSV")
        if any(cell is not None for cell in row):
            cells.append([*row, *[None] * (len(header) - len(row))])
            numbers.append(number)
    frame = pd.DataFrame(cells, columns=header, index=pd.Index(numbers, dtype=int), dtype=object)
    for name in frame:
        known = frame[name].dropna()
        if len(known) and known.map(lambda cell: isinstance(cell, datetime.datetime)).all():
            frame[name] = pd.to_datetime(frame[name])
    return frame


def _check_saved(values: Any, formulas: Any, place: Any, file: RawFile) -> None:
    """Refuse a sheet of which no formula has a saved value, as other programs than spreadsheets write it."""
    unsaved = None
    rows = zip(values.iter_rows(**place), formulas.iter_rows(**place), strict=False)
    for number, (row, written) in enumerate(rows, 2):
        for value, formula in zip(row, written, strict=False):
            if isinstance(formula, str) and formula.startswith("="):
                if value is not None:
                    return
                unsaved = unsaved or (number, formula)
    if unsaved:
        cause = f"the formula {unsaved[1][:40]!r} has no saved value; save it in a spreadsheet program"
        raise BadInput("unreadable file", f"{file} row {unsaved[0]}: {cause}")


DOCUMENTS = {".json": _json, ".jsonl": _json_lines, ".ndjson": _json_lines, ".xlsx": _workbook}
