"""Why a whole file is refused: a code for programs and a Chinese message for people."""

from __future__ import annotations

# what each code means, and what its sender does
CODES = {
    "unknown_system": "放错了来源文件夹。放入 inbox 下属于该系统的文件夹",
    "unsupported_carrier": "文件类型不支持，或压缩包内不是一个 CSV 或按接口拆成的两个 DBF。按接口重新打包",
    "broken_archive": "压缩包或 DBF 损坏、不完整、加了密码、异常膨胀，或声明的记录数与内容不符。重新导出并上传",
    "bad_workbook": "Excel 工作簿损坏、加了密码或不是 xlsx。另存为 xlsx 后重新提交",
    "unknown_encoding": "字符编码无法识别或混用。整份导出为 UTF-8 或 GB18030",
    "empty_file": "没有表头，或只有表头。若该月确无数据，不上传空文件",
    "wrong_layout": "表头不属于任何已知版式。核对导出模板",
    "missing_columns": "缺少关键列。补齐后重新导出",
    "duplicate_columns": "表头有重复的列。删去重复列",
    "month_mismatch": "文件名的月份与多数行的出院月份不同。核对文件名或导出的时间范围",
    "parts_mismatch": "两个 DBF 的记录数或顺序不同。重新导出整月数据",
    "unreadable_rows": "不是按行的表格。重新导出为 CSV",
    "duplicate_file": "内容与已收到的文件完全相同，不再读取。无须处理",
}


class FileRefused(Exception):
    """The file cannot be landed as a whole; other files go on.

    ``code`` is a key of `CODES`.  ``message`` says in Chinese what was found and how to mend it, without any
    value of the file.
    """

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code
        self.message = message
