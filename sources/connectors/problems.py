"""Why a whole file is refused: a code for programs and a Chinese message for people."""

from __future__ import annotations


class FileRefused(Exception):
    """The file cannot be landed as a whole; other files go on.

    ``code`` is one of: wrong_layout, unknown_encoding, broken_archive, missing_columns, duplicate_file,
    month_mismatch, empty_file, unsupported_carrier, parts_mismatch, unknown_system, duplicate_columns,
    bad_workbook, unreadable_rows.  ``message`` says in Chinese what was found and how to mend it, without any
    value of the file.
    """

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code
        self.message = message
