"""Rows of tables of samples and labels: CSV and Parquet files, JSON documents and workbooks (xlsx)."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifelog.arrays import Floats
from lifelog.settings.tables import Table
from lifelog.windows.csvfile import bytes_of, check_quotes, missing_column
from lifelog.windows.documents import DOCUMENTS, read_document
from lifelog.windows.files import RawFile
from lifelog.windows.layout import BadInput
from lifelog.windows.times import times_of

LISTS = (pa.types.is_list, pa.types.is_large_list)
NUMBERS = (pa.types.is_primitive, pa.types.is_null, pa.types.is_decimal)
# First bytes of files that are no CSV text, and what they are.
OTHER_FILES = {
    b"PK\x03\x04": "a workbook or a zip; name it .xlsx if it is one",
    b"\xd0\xcf\x11\xe0": "an old Excel file; save it as .xlsx or CSV",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    b"%PDF": "a PDF; export the table as CSV",
}


class Rows(NamedTuple):
    """Rows of a participant: times as in the file, values of shape (n_rows, n_columns), and other columns by name."""

    stamps: pd.Series
    values: Floats
    others: dict[str, pd.Series]


def read_rows(
    path: Path,
    table: Table,
    user: str,
    numbers: Sequence[str] = (),
    texts: Sequence[str] = (),
    times: Sequence[str] = (),
) -> Rows:
    """Read some columns of the rows of a participant.

    Parameters
    ----------
    path : Path
        A CSV, Parquet, JSON or xlsx file, by its suffix.
    table : Table
        The columns of users and times.
    user : str
        The user to read, if the table has a column of users.
    numbers, texts, times : sequence of str
        Columns of numbers, of text, and of further times. A column of lists of numbers gives several rows of one
        time.

    Returns
    -------
    Rows
        In the order of the file; NaN where a number is empty, and an empty text likewise.

    Raises
    ------
    BadInput
        If the file, a column or a number is unreadable.
    """
    keys = [name for name in (table.user, table.time, table.clock) if name]
    try:
        if (suffix := path.suffix.lower()) in DOCUMENTS:
            return _of_document(path, table, keys, numbers, texts, times, user)
        read = _parquet if suffix == ".parquet" else _csv
        rows = read(path, table, keys, list(numbers), [*texts, *times], user)
        stamps = times_of({name: rows.column(name).to_pandas() for name in keys}, table)
        if any(is_a(rows.column(name).type) for is_a in LISTS for name in numbers):
            return Rows(*_flattened(rows, list(numbers), stamps), {})
        values = [_numbers(rows.column(name), name, path) for name in numbers]
        found = {name: _texts(rows.column(name)) for name in texts}
        found |= {name: rows.column(name).to_pandas() for name in times}
        return Rows(stamps, np.stack(values, axis=1) if values else np.empty((len(stamps), 0)), found)
    except BadInput:
        raise
    except (OSError, ValueError, OverflowError, csv.Error, pa.ArrowException) as error:
        wrong_text = isinstance(error, UnicodeDecodeError) or "UTF8" in str(error)
        raise BadInput("unreadable file", f"{path}: {not_text(path, table) if wrong_text else error}") from None


def _texts(column: pa.ChunkedArray) -> pd.Series:
    """Return a column as text; booleans are written as in JSON read by Python."""
    text = column.cast(pa.string()).fill_null("").to_pandas().str.strip()
    return text.str.capitalize() if pa.types.is_boolean(column.type) else text


def not_text(file: Path | RawFile, table: Table) -> str:
    """Return what a file is that is not text in the encoding of its table, with the remedy."""
    head, _ = (file if isinstance(file, RawFile) else RawFile(file)).head(4)
    is_a = next((kind for start, kind in OTHER_FILES.items() if head.startswith(start)), None)
    if table.encoding != "utf-8":
        return f"this is {is_a}" if is_a else f"not {table.encoding} text; save it as UTF-8"
    return f"this is {is_a}" if is_a else "not UTF-8 text; set encoding: windows-1252, or save it as UTF-8"


def text_encoding(table: Table) -> str:
    """Return the Python encoding of a CSV table."""
    return "utf-8-sig" if table.encoding == "utf-8" else "cp1252"


def _check_columns(header: list[str], needed: list[str], path: Path, line: int = 1) -> None:
    problem = missing_column(header, needed)
    if problem:
        is_text = path.suffix.lower() not in (".parquet", *DOCUMENTS)
        hint = "; set separator" if is_text and len(header) == 1 else ""
        raise BadInput("wrong columns", f"{path}{f' line {line}' if is_text else ''}: {problem}{hint}")


def _of_document(
    path: Path,
    table: Table,
    keys: list[str],
    numbers: Sequence[str],
    texts: Sequence[str],
    times: Sequence[str],
    user: str,
) -> Rows:
    frame = read_document(RawFile(path), table.sheet)
    _check_columns(list(frame.columns), [*keys, *numbers, *texts, *times], path)
    if table.user is not None:
        frame = frame[frame[table.user].astype(str).str.strip() == user]
    values = [_cells(frame[name], name, table.decimal, path) for name in numbers]
    found = {name: frame[name].map(lambda cell: "" if pd.isna(cell) else str(cell).strip()) for name in texts}
    found |= {name: frame[name] for name in times}
    found = {name: column.reset_index(drop=True) for name, column in found.items()}
    stacked = np.stack(values, axis=1) if values else np.empty((len(frame), 0))
    return Rows(times_of(frame.reset_index(drop=True), table), stacked, found)


def _cells(cells: pd.Series, name: str, decimal: str, path: Path) -> Floats:
    """Return cells of a document as numbers; raise BadInput for text that is none."""
    texts = cells.map(lambda cell: cell.replace(decimal, ".").strip() if isinstance(cell, str) else cell)
    empty = cells.isna() | (texts == "")
    values = pd.to_numeric(texts.where(~empty), errors="coerce").astype(float)
    bad = cells[~empty & (values.isna() | cells.map(lambda cell: not isinstance(cell, str | int | float)))]
    if len(bad):
        raise BadInput("text in a number", f"{path} row {bad.index[0]}: column {name!r} holds {bad.iloc[0]!r}")
    return values.to_numpy()


def _parquet(path: Path, table: Table, keys: list[str], numbers: list[str], texts: list[str], user: str) -> pa.Table:
    """Return the rows of a user, group by group of rows."""
    with pq.ParquetFile(path) as file:
        _check_columns(file.schema_arrow.names, [*keys, *numbers, *texts], path)
        columns = list(dict.fromkeys([*keys, *numbers, *texts]))
        parts = [_of_user(file.schema_arrow.empty_table().select(columns), table, user)]
        parts += [_of_user(pa.Table.from_batches([batch]), table, user) for batch in file.iter_batches(columns=columns)]
    return pa.concat_tables(parts)


def _csv(path: Path, table: Table, keys: list[str], numbers: list[str], texts: list[str], user: str) -> pa.Table:
    """Return the rows of a user, block by block."""
    encoding, columns = text_encoding(table), list(dict.fromkeys([*keys, *numbers, *texts]))
    with path.open(encoding=encoding) as file:
        *_, line = (file.readline().rstrip("\r\n") for _ in range(table.skip + 1))
        first = next((row.rstrip("\r\n") for row in file if row.strip()), "")
    if "\0" in line or line.startswith("PK\x03\x04"):
        raise BadInput("unreadable file", f"{path}: {not_text(path, table)}")
    names, cells = ([c.strip() for c in next(csv.reader([x], delimiter=table.separator), [])] for x in (line, first))
    if not any(cells[len(names) :]):  # rows may end with separators
        names += [""] * (len(cells) - len(names))
    _check_columns(names, columns, path, table.skip + 1)
    check_quotes(_without_titles(path, table.skip), path, table.separator)
    types = {name: pa.float64() for name in numbers} | {name: pa.string() for name in [*keys, *texts]}
    options = pacsv.ConvertOptions(
        column_types=types, include_columns=columns, decimal_point=table.decimal, strings_can_be_null=False
    )
    parse = pacsv.ParseOptions(delimiter=table.separator)
    read = pacsv.ReadOptions(
        use_threads=False,
        column_names=names,
        skip_rows=table.skip + 1,
        encoding="utf8" if encoding == "utf-8-sig" else encoding,
    )
    with pacsv.open_csv(path, read_options=read, parse_options=parse, convert_options=options) as file:
        parts = [_of_user(file.schema.empty_table(), table, user)]
        for batch in file:
            for name in dict.fromkeys([*keys, *texts]):
                if pc.any(pc.match_substring(batch.column(name), "\n")).as_py():
                    problem = f"a quote in the column {name!r} is not closed in its line"
                    raise BadInput("unreadable file", f"{path}: {problem}")
            parts.append(_of_user(pa.Table.from_batches([batch]), table, user))
    return pa.concat_tables(parts)


def _without_titles(path: Path, skip: int) -> NDArray[np.uint8]:
    """Return the bytes of a file, with blanks for the lines above the names of columns."""
    data = bytes_of(path)
    if skip:
        with path.open("rb") as file:
            end = sum(len(file.readline()) for _ in range(skip))
        data = data.copy()
        data[:end][data[:end] != ord("\n")] = ord(" ")
    return data


def _of_user(rows: pa.Table, table: Table, user: str) -> pa.Table:
    """Return the rows of a user."""
    if table.user is None:
        return rows
    return rows.filter(pc.equal(pc.utf8_trim_whitespace(rows.column(table.user).cast(pa.string())), user))


def _numbers(column: pa.ChunkedArray, name: str, path: Path) -> Any:
    kind = column.type
    if pa.types.is_temporal(kind) or not any(is_a(kind) for is_a in NUMBERS):
        raise BadInput("text in a number", f"{path}: the column {name!r} has the type {kind}")
    return column.cast(pa.float64(), safe=False).to_numpy()


def _flattened(rows: pa.Table, columns: list[str], stamps: pd.Series) -> tuple[pd.Series, Floats]:
    """Return each value of the lists of a column with the time of its row."""
    if len(columns) != 1:
        raise BadInput("wrong columns", f"a modality with a column of lists has one column, not {columns}")
    lists = rows.column(columns[0]).combine_chunks()
    values = pc.list_flatten(lists).cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    repeated = stamps.iloc[pc.list_parent_indices(lists).to_numpy()].reset_index(drop=True)
    return repeated, np.asarray(values)[:, None]


def read_text_table(file: RawFile, table: Table, header: list[str] | None = None) -> tuple[pd.DataFrame, Any]:
    """Read a whole table of labels.

    Parameters
    ----------
    file : RawFile
        A CSV, Parquet, JSON or xlsx file, by its suffix.
    table : Table
        Separator and encoding of a CSV file, and the sheet of a workbook.
    header : list of str, optional
        Names of the columns of a CSV file without a header row.

    Returns
    -------
    table : pandas.DataFrame
        The cells of a CSV file are text; those of other files have their types.
    lines : ndarray of int, shape (n_rows,)
        The line of each row in the file.

    Raises
    ------
    ValueError
        If a line has another number of fields than the header, or the file is not text.
    """
    suffix = Path(file.member or file.path.name).suffix.lower()
    if suffix in DOCUMENTS:
        frame = read_document(file, table.sheet)
        return frame.reset_index(drop=True), frame.index.to_numpy()
    with file.open() as raw:
        if suffix == ".parquet":
            rows = pq.read_table(raw)
            return rows.to_pandas(), np.arange(1, rows.num_rows + 1)
        text = io.TextIOWrapper(raw, encoding=text_encoding(table), newline="")
        reader = csv.reader(text, delimiter=table.separator, skipinitialspace=True, strict=True)
        try:
            for _ in range(table.skip):
                text.readline()
            if header is None:
                header = [name.strip() for name in next(reader, [])]
                while header and not header[-1]:
                    header.pop()
            cells, lines = [], []
            for fields in reader:
                if not any(field.strip() for field in fields):
                    continue
                while len(fields) > len(header) and not fields[-1]:
                    fields.pop()  # rows may end with separators
                if len(fields) != len(header):
                    line = table.skip + reader.line_num
                    raise ValueError(f"line {line}: {len(fields)} fields, {len(header)} expected")
                cells.append(fields)
                lines.append(table.skip + reader.line_num)
        except (UnicodeDecodeError, csv.Error) as error:
            is_text = isinstance(error, csv.Error) and "NUL" not in str(error)
            raise ValueError(
                f"line {table.skip + reader.line_num}: {error}" if is_text else not_text(file, table)
            ) from None
    twice = [name for name in header if name and header.count(name) > 1]
    if twice:
        raise ValueError(f"line {table.skip + 1}: the column {twice[0]!r} occurs twice; rename one")
    return pd.DataFrame(cells, columns=header, dtype=object), np.array(lines, dtype=int)
